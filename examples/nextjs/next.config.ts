import type { NextConfig } from "next";

const config: NextConfig = {
  // The nearest lock file, and not the one of a folder above.
  turbopack: { root: import.meta.dirname },
};

export default config;

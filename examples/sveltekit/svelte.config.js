import adapter from "@sveltejs/adapter-node";

// A form of another origin is refused by SvelteKit itself, which is the defence against CSRF here.
export default { kit: { adapter: adapter() } };

/**
 * A stand-in for the native part of React Native: its networking, blobs and blob reader, as called by its JavaScript.
 * Fetch, Request, URL and AbortController are React Native's own.
 */
import { request } from "node:http";

interface Query {
  method: string;
  url: string;
  headers: Record<string, string>;
  responseType: "text" | "blob" | "base64";
}

interface BlobPart {
  data: string;
}

/** Notifies the JavaScript side of a native event. */
export type Tell = (event: string, args: readonly unknown[]) => void;

export function createNativeModules(tell: Tell): Record<string, object> {
  const blobs = new Map<string, string>();
  const underway = new Map<number, () => void>();
  let last = 0;

  function send(id: number, query: Query): void {
    const { method, url, headers } = query;
    const outgoing = request(url, { method, headers }, (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
      incoming.on("error", fail);
      incoming.on("end", () => {
        if (!underway.delete(id)) return;
        tell("didReceiveNetworkResponse", [id, incoming.statusCode, incoming.headers, url]);
        const text = Buffer.concat(chunks).toString("utf8");
        tell("didReceiveNetworkData", [id, query.responseType === "blob" ? keep(`of ${id}`, text) : text]);
        tell("didCompleteNetworkResponse", [id, null, false]);
      });
    });
    const fail = (error: Error) => {
      if (underway.delete(id)) tell("didCompleteNetworkResponse", [id, error.message, false]);
    };
    outgoing.on("error", fail);
    underway.set(id, () => outgoing.destroy());
    outgoing.end();
  }

  function keep(blobId: string, text: string) {
    blobs.set(blobId, text);
    return { blobId, offset: 0, size: text.length, type: "" };
  }

  return {
    Networking: {
      sendRequest(query: Query, callback: (id: number) => void) {
        const id = ++last;
        // Before sending: later events refer to this number.
        callback(id);
        send(id, query);
      },
      abortRequest(id: number) {
        const end = underway.get(id);
        underway.delete(id);
        end?.();
      },
    },
    BlobModule: {
      getConstants: () => ({ BLOB_URI_SCHEME: "blob", BLOB_URI_HOST: null }),
      addNetworkingHandler() {},
      createFromParts: (parts: BlobPart[], id: string) =>
        void keep(id, parts.map(({ data }) => data).join("")),
      release: (id: string) => blobs.delete(id),
    },
    FileReaderModule: {
      readAsText: async ({ blobId }: { blobId: string }) => blobs.get(blobId) ?? "",
    },
  };
}

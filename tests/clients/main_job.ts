// The main job with the types of `openapi-typescript`, in `schema.d.ts`, and `openapi-fetch`.

import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";

declare const process: { argv: string[] };

const [, , baseUrl, username] = process.argv;
const password = "seven quiet otters";
const content = "SGVsbG8sIGZyaWVuZC4K";

/** The body of a good answer; throws the problem of any other. */
async function good<T>(answer: Promise<{ data?: T; error?: unknown }>): Promise<T> {
  const { data, error } = await answer;
  if (error !== undefined || data === undefined) throw new Error(JSON.stringify(error));
  return data;
}

const anybody = createClient<paths>({ baseUrl });
await good(anybody.POST("/register", { body: { username, password } }));
const { token } = await good(anybody.POST("/login", { body: { username, password } }));

const me = createClient<paths>({ baseUrl, headers: { "x-session-token": token } });
const file: components["schemas"]["FileObject"] = await good(
  me.PUT("/file", { body: { file_name: "hello.txt", content } }),
);
const files = await good(me.GET("/files", { params: { query: { limit: 10 } } }));
const query = { file_name: file.file_name };
const text = await good(me.GET("/file", { params: { query }, parseAs: "text" }));
const link = await good(me.POST("/links", { body: { items: [file.file_name] } }));
console.log(JSON.stringify({ key: file.key, files: files.length, text, url: link.url }));

/** What texts are embedded with: it reads a hundred languages and 8,192 tokens, for 1,075 µN a token. */
export const EMBEDDING_MODEL = "@cf/baai/bge-m3";

/** What puts passages in order by the question. */
export const RERANKING_MODEL = "@cf/baai/bge-reranker-base";

/** What answers from passages, where the caller names no model. */
export const ANSWERING_MODEL = "@cf/meta/llama-3.1-8b-instruct-fp8";

import * as v from "valibot";
import { jsonObject, object } from "../object-input.ts";
import { toolName } from "../openai/drop-in.ts";

// The tools of a response. Only functions of the caller are served; OpenAI's own tools are refused by name.

/** OpenAI's tools that are no functions of the caller. */
const UNSERVED_TOOLS = [
  "apply_patch",
  "code_interpreter",
  "computer",
  "computer_use_preview",
  "custom",
  "file_search",
  "image_generation",
  "local_shell",
  "mcp",
  "namespace",
  "programmatic_tool_calling",
  "shell",
  "tool_search",
  "web_search",
  "web_search_2025_08_26",
  "web_search_preview",
  "web_search_preview_2025_03_11",
] as const;

export const FunctionTool = object({
  type: v.literal("function"),
  name: toolName,
  description: v.nullish(v.string()),
  parameters: v.nullish(jsonObject),
  strict: v.nullish(v.boolean()),
});

export const Tool = v.variant("type", [FunctionTool, object({ type: v.picklist(UNSERVED_TOOLS) })]);

const NamedTool = object({ type: v.literal("function"), name: toolName });

export const ToolChoice = v.union([
  v.picklist(["none", "auto", "required"]),
  v.variant("type", [
    NamedTool,
    object({ type: v.picklist([...UNSERVED_TOOLS, "allowed_tools"]) }),
  ]),
]);

export const isServedTool = (type: string): boolean =>
  !(UNSERVED_TOOLS as readonly string[]).includes(type);

/** What is used when the settings name no model or no address; nowhere else in the project. */
export const defaultModels = {
  gemini: { model: 'gemini-3.1-pro-preview', baseUrl: 'https://generativelanguage.googleapis.com' },
  qwen: { model: 'qwen3-coder-plus', baseUrl: 'https://dashscope.aliyuncs.com/compatible-mode/v1' },
} as const;

// SPDX-License-Identifier: MIT

// As ../../sdks.py, with openai-go: go run . URL
package main

import (
	"context"
	"encoding/json"
	"os"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/shared"
)

var background = context.Background()

func user(text string) []openai.ChatCompletionMessageParamUnion {
	return []openai.ChatCompletionMessageParamUnion{openai.UserMessage(text)}
}

func ask(client openai.Client) string {
	stream := client.Chat.Completions.NewStreaming(background, openai.ChatCompletionNewParams{
		Model: "smol", Messages: user("Name the capital of France."),
		MaxTokens: openai.Int(24), Temperature: openai.Float(0)})
	whole := openai.ChatCompletionAccumulator{}
	for stream.Next() {
		whole.AddChunk(stream.Current())
	}
	must(stream.Err())
	return whole.Choices[0].Message.Content
}

// Calls the tool until the model reports; gives the report and the cities asked for.
func act(client openai.Client) (string, []string) {
	asked := []string{}
	request := openai.ChatCompletionNewParams{
		Model: "caller", Messages: user("How is the weather in Paris?"),
		Tools: []openai.ChatCompletionToolUnionParam{openai.ChatCompletionFunctionTool(
			shared.FunctionDefinitionParam{Name: "get_weather", Parameters: shared.FunctionParameters{
				"type": "object", "required": []string{"city"},
				"properties": map[string]any{"city": map[string]any{"type": "string"}}}})}}
	for {
		completion, err := client.Chat.Completions.New(background, request)
		must(err)
		message := completion.Choices[0].Message
		if len(message.ToolCalls) == 0 {
			return message.Content, asked
		}
		request.Messages = append(request.Messages, message.ToParam())
		for _, call := range message.ToolCalls {
			var arguments struct{ City string }
			must(json.Unmarshal([]byte(call.Function.Arguments), &arguments))
			asked = append(asked, arguments.City)
			request.Messages = append(request.Messages, openai.ToolMessage("Sunny.", call.ID))
		}
	}
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	client := openai.NewClient(option.WithBaseURL(os.Args[1]+"/v1/"), option.WithAPIKey("none"))
	answer := ask(client)
	report, asked := act(client)
	must(json.NewEncoder(os.Stdout).Encode(map[string]any{
		"answer": answer, "report": report, "asked": asked}))
}

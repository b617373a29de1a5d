// SPDX-License-Identifier: MIT

// openai-go, as ../compiled.js wants it: go run . URL
package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/responses"
	"github.com/openai/openai-go/v3/shared"
)

const (
	question = "Name the capital of France."
	task     = "How is the weather in Paris?"
	name     = "get_weather"
)

var (
	background = context.Background()
	parameters = map[string]any{"type": "object", "required": []string{"city"},
		"additionalProperties": false,
		"properties":           map[string]any{"city": map[string]any{"type": "string"}}}
	schema = map[string]any{"type": "object", "required": []string{"city"},
		"additionalProperties": false,
		"properties":           map[string]any{"city": map[string]any{"enum": []string{"Paris", "Rome"}}}}
)

type seen map[string]any

func request(model, text string) openai.ChatCompletionNewParams {
	return openai.ChatCompletionNewParams{Model: model, MaxCompletionTokens: openai.Int(64),
		Temperature: openai.Float(0),
		Messages:    []openai.ChatCompletionMessageParamUnion{openai.UserMessage(text)}}
}

func withTool(request openai.ChatCompletionNewParams) openai.ChatCompletionNewParams {
	request.Tools = []openai.ChatCompletionToolUnionParam{openai.ChatCompletionFunctionTool(
		shared.FunctionDefinitionParam{Name: name, Parameters: parameters,
			Strict: openai.Bool(true)})}
	return request
}

func complete(client openai.Client,
	request openai.ChatCompletionNewParams) openai.ChatCompletionMessage {
	completion, err := client.Chat.Completions.New(background, request)
	must(err)
	return completion.Choices[0].Message
}

// The pieces of text, and the whole message.
func stream(client openai.Client,
	request openai.ChatCompletionNewParams) ([]string, openai.ChatCompletionMessage) {
	chunks := client.Chat.Completions.NewStreaming(background, request)
	whole := openai.ChatCompletionAccumulator{}
	pieces := []string{}
	for chunks.Next() {
		whole.AddChunk(chunks.Current())
		for _, choice := range chunks.Current().Choices {
			if choice.Delta.Content != "" {
				pieces = append(pieces, choice.Delta.Content)
			}
		}
	}
	must(chunks.Err())
	return pieces, whole.Choices[0].Message
}

func value(text string) map[string]any {
	var read map[string]any
	must(json.Unmarshal([]byte(text), &read))
	return read
}

// Calls the tool until the model reports; gives the report and the cities asked for.
func act(client openai.Client) (string, []any) {
	asked := []any{}
	request := withTool(request("caller", task))
	for {
		message := complete(client, request)
		if len(message.ToolCalls) == 0 {
			return message.Content, asked
		}
		request.Messages = append(request.Messages, message.ToParam())
		for _, call := range message.ToolCalls {
			asked = append(asked, value(call.Function.Arguments)["city"])
			request.Messages = append(request.Messages, openai.ToolMessage("Sunny.", call.ID))
		}
	}
}

func chats(client openai.Client) seen {
	pieces, _ := stream(client, request("smol", question))
	report, asked := act(client)
	_, message := stream(client, withTool(request("caller", task)))
	call := message.ToolCalls[0].Function
	formed := request("smol", question)
	formed.ResponseFormat = openai.ChatCompletionNewParamsResponseFormatUnion{
		OfJSONSchema: &shared.ResponseFormatJSONSchemaParam{
			JSONSchema: shared.ResponseFormatJSONSchemaJSONSchemaParam{Name: "place",
				Schema: schema, Strict: openai.Bool(true)}}}
	return seen{"chat": complete(client, request("smol", question)).Content, "pieces": pieces,
		"report": report, "asked": asked, "called": []any{call.Name, value(call.Arguments)},
		"place": value(complete(client, formed).Content)["city"]}
}

func response(model, text string) responses.ResponseNewParams {
	return responses.ResponseNewParams{Model: model, MaxOutputTokens: openai.Int(64),
		Temperature: openai.Float(0),
		Input:       responses.ResponseNewParamsInputUnion{OfString: openai.String(text)}}
}

func respondWithTool(request responses.ResponseNewParams) responses.ResponseNewParams {
	request.Tools = []responses.ToolUnionParam{{OfFunction: &responses.FunctionToolParam{
		Name: name, Parameters: parameters, Strict: openai.Bool(true)}}}
	return request
}

func respond(client openai.Client, request responses.ResponseNewParams) *responses.Response {
	answer, err := client.Responses.New(background, request)
	must(err)
	return answer
}

func streamResponse(client openai.Client,
	request responses.ResponseNewParams) ([]string, responses.Response) {
	events := client.Responses.NewStreaming(background, request)
	pieces := []string{}
	var whole responses.Response
	for events.Next() {
		switch event := events.Current().AsAny().(type) {
		case responses.ResponseTextDeltaEvent:
			pieces = append(pieces, event.Delta)
		case responses.ResponseCompletedEvent:
			whole = event.Response
		}
	}
	must(events.Err())
	return pieces, whole
}

func callOf(response responses.Response) responses.ResponseFunctionToolCall {
	for _, item := range response.Output {
		if item.Type == "function_call" {
			return item.AsFunctionCall()
		}
	}
	panic("no call")
}

func byResponses(client openai.Client) seen {
	pieces, _ := streamResponse(client, response("smol", question))
	first := respond(client, respondWithTool(response("caller", task)))
	result := respondWithTool(response("caller", ""))
	result.PreviousResponseID = openai.String(first.ID)
	result.Input = responses.ResponseNewParamsInputUnion{
		OfInputItemList: responses.ResponseInputParam{
			{OfFunctionCallOutput: &responses.ResponseInputItemFunctionCallOutputParam{
				CallID: openai.String(callOf(*first).CallID),
				Output: responses.ResponseInputItemFunctionCallOutputOutputUnionParam{
					OfString: openai.String("Sunny.")}}}}}
	_, called := streamResponse(client, respondWithTool(response("caller", task)))
	formed := response("smol", question)
	formed.Text = responses.ResponseTextConfigParam{
		Format: responses.ResponseFormatTextConfigParamOfJSONSchema("place", schema)}
	return seen{"chat": respond(client, response("smol", question)).OutputText(),
		"pieces": pieces, "report": respond(client, result).OutputText(),
		"asked":  []any{value(callOf(*first).Arguments)["city"]},
		"called": []any{callOf(called).Name, value(callOf(called).Arguments)},
		"place":  value(respond(client, formed).OutputText())["city"]}
}

func vectors(client openai.Client) []int {
	answer, err := client.Embeddings.New(background, openai.EmbeddingNewParams{Model: "vectors",
		Input: openai.EmbeddingNewParamsInputUnion{OfArrayOfStrings: []string{"One.", "Two."}}})
	must(err)
	lengths := []int{}
	for _, one := range answer.Data {
		lengths = append(lengths, len(one.Embedding))
	}
	return lengths
}

func models(client openai.Client) []string {
	names := []string{}
	pages := client.Models.ListAutoPaging(background)
	for pages.Next() {
		names = append(names, pages.Current().ID)
	}
	must(pages.Err())
	return names
}

func fault(client openai.Client) string {
	var refused *openai.Error
	_, err := client.Chat.Completions.New(background, request("nobody", question))
	if !errors.As(err, &refused) || refused.StatusCode != 404 {
		panic(err)
	}
	return refused.Message
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	client := openai.NewClient(option.WithBaseURL(os.Args[1]+"/v1/"), option.WithAPIKey("none"))
	all := chats(client)
	all["responses"] = byResponses(client)
	all["vectors"] = vectors(client)
	all["models"] = models(client)
	all["error"] = fault(client)
	must(json.NewEncoder(os.Stdout).Encode(all))
}

// SPDX-License-Identifier: MIT

// openai-java, as compiled.js wants it: java -cp 'LIB/*' OpenAi.java URL
import com.fasterxml.jackson.annotation.JsonTypeName;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.errors.NotFoundException;
import com.openai.helpers.ChatCompletionAccumulator;
import com.openai.helpers.ResponseAccumulator;
import com.openai.models.chat.completions.ChatCompletion;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import com.openai.models.chat.completions.ChatCompletionMessage;
import com.openai.models.chat.completions.ChatCompletionToolMessageParam;
import com.openai.models.embeddings.EmbeddingCreateParams;
import com.openai.models.responses.Response;
import com.openai.models.responses.ResponseCreateParams;
import com.openai.models.responses.ResponseFunctionToolCall;
import com.openai.models.responses.ResponseInputItem;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

class OpenAi {
    static final String QUESTION = "Name the capital of France.";
    static final String TASK = "How is the weather in Paris?";

    public static class Place {
        public enum City { Paris, Rome }

        public City city;
    }

    @JsonTypeName("get_weather")
    public static class Weather {
        public String city;
    }

    static ChatCompletionCreateParams.Builder chat(String model, String text) {
        return ChatCompletionCreateParams.builder().model(model).temperature(0)
            .maxCompletionTokens(64).addUserMessage(text);
    }

    static ChatCompletionMessage said(ChatCompletion completion) {
        return completion.choices().get(0).message();
    }

    /** Calls the tool until the model reports. */
    static String act(OpenAIClient client, List<String> asked) {
        var request = chat("caller", TASK).addTool(Weather.class);
        while (true) {
            var message = said(client.chat().completions().create(request.build()));
            var calls = message.toolCalls().orElse(List.of());
            if (calls.isEmpty()) return message.content().orElseThrow();
            request.addMessage(message);
            for (var call : calls) {
                asked.add(call.asFunction().function().arguments(Weather.class).city);
                request.addMessage(ChatCompletionToolMessageParam.builder()
                    .toolCallId(call.asFunction().id()).content("Sunny.").build());
            }
        }
    }

    static Map<String, Object> chats(OpenAIClient client) throws Exception {
        var seen = new LinkedHashMap<String, Object>();
        var completions = client.chat().completions();
        seen.put("chat", said(completions.create(chat("smol", QUESTION).build())).content().get());
        var pieces = new ArrayList<String>();
        try (var stream = completions.createStreaming(chat("smol", QUESTION).build())) {
            stream.stream().flatMap(chunk -> chunk.choices().stream())
                .forEach(choice -> choice.delta().content().ifPresent(pieces::add));
        }
        seen.put("pieces", pieces);
        var asked = new ArrayList<String>();
        seen.put("report", act(client, asked));
        seen.put("asked", asked);
        var whole = ChatCompletionAccumulator.create();
        try (var stream = completions.createStreaming(
                chat("caller", TASK).addTool(Weather.class).build())) {
            stream.stream().forEach(whole::accumulate);
        }
        var call = said(whole.chatCompletion()).toolCalls().get().get(0).asFunction().function();
        seen.put("called",
            List.of(call.name(), Map.of("city", call.arguments(Weather.class).city)));
        seen.put("place", completions.create(chat("smol", QUESTION).responseFormat(Place.class)
            .build()).choices().get(0).message().content().get().city.name());
        return seen;
    }

    static ResponseCreateParams.Builder response(String model, String text) {
        return ResponseCreateParams.builder().model(model).temperature(0).maxOutputTokens(64)
            .input(text);
    }

    static String text(Response response) {
        return response.output().stream().flatMap(item -> item.message().stream())
            .flatMap(message -> message.content().stream())
            .flatMap(content -> content.outputText().stream()).map(part -> part.text())
            .collect(Collectors.joining());
    }

    static ResponseFunctionToolCall call(Response response) {
        return response.output().stream().flatMap(item -> item.functionCall().stream())
            .findFirst().orElseThrow();
    }

    static String actByResponses(OpenAIClient client, List<String> asked) {
        var first = client.responses().create(response("caller", TASK).addTool(Weather.class)
            .build());
        asked.add(call(first).arguments(Weather.class).city);
        var result = ResponseInputItem.ofFunctionCallOutput(ResponseInputItem.FunctionCallOutput
            .builder().callId(call(first).callId()).output("Sunny.").build());
        return text(client.responses().create(response("caller", "").addTool(Weather.class)
            .previousResponseId(first.id()).inputOfResponse(List.of(result)).build()));
    }

    static Map<String, Object> responses(OpenAIClient client) throws Exception {
        var seen = new LinkedHashMap<String, Object>();
        seen.put("chat", text(client.responses().create(response("smol", QUESTION).build())));
        var pieces = new ArrayList<String>();
        try (var stream = client.responses().createStreaming(response("smol", QUESTION).build())) {
            stream.stream().flatMap(event -> event.outputTextDelta().stream())
                .forEach(delta -> pieces.add(delta.delta()));
        }
        seen.put("pieces", pieces);
        var asked = new ArrayList<String>();
        seen.put("report", actByResponses(client, asked));
        seen.put("asked", asked);
        var whole = ResponseAccumulator.create();
        try (var stream = client.responses().createStreaming(
                response("caller", TASK).addTool(Weather.class).build())) {
            stream.stream().forEach(whole::accumulate);
        }
        var call = call(whole.response());
        seen.put("called",
            List.of(call.name(), Map.of("city", call.arguments(Weather.class).city)));
        seen.put("place", client.responses().create(response("smol", QUESTION).text(Place.class)
            .build()).output().stream().flatMap(item -> item.message().stream())
            .flatMap(message -> message.content().stream())
            .flatMap(content -> content.outputText().stream()).findFirst().get().city.name());
        return seen;
    }

    static String error(OpenAIClient client) {
        try {
            client.chat().completions().create(chat("nobody", QUESTION).build());
            return "none";
        } catch (NotFoundException error) {
            return error.getMessage();
        }
    }

    public static void main(String[] args) throws Exception {
        var client = OpenAIOkHttpClient.builder().baseUrl(args[0] + "/v1").apiKey("none").build();
        var seen = chats(client);
        seen.put("responses", responses(client));
        seen.put("vectors", client.embeddings().create(EmbeddingCreateParams.builder()
            .model("vectors").inputOfArrayOfStrings(List.of("One.", "Two.")).build())
            .data().stream().map(one -> one.embedding().size()).toList());
        seen.put("models", client.models().list().autoPager().stream().map(one -> one.id())
            .toList());
        seen.put("error", error(client));
        System.out.println(new ObjectMapper().writeValueAsString(seen));
        client.close();
    }
}

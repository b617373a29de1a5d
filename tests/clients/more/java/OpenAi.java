// SPDX-License-Identifier: MIT

// As ../../sdks.py, with openai-java: java -cp 'LIB/*' OpenAi.java URL
import com.fasterxml.jackson.databind.ObjectMapper;
import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.core.JsonValue;
import com.openai.helpers.ChatCompletionAccumulator;
import com.openai.models.FunctionDefinition;
import com.openai.models.FunctionParameters;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import com.openai.models.chat.completions.ChatCompletionToolMessageParam;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

class OpenAi {
    static final ObjectMapper JSON = new ObjectMapper();

    static String ask(OpenAIClient client) {
        var request = ChatCompletionCreateParams.builder().model("smol").temperature(0)
            .maxCompletionTokens(24).addUserMessage("Name the capital of France.").build();
        var whole = ChatCompletionAccumulator.create();
        try (var stream = client.chat().completions().createStreaming(request)) {
            stream.stream().forEach(whole::accumulate);
        }
        return whole.chatCompletion().choices().get(0).message().content().orElseThrow();
    }

    /** Calls the tool until the model reports. */
    static String act(OpenAIClient client, List<String> asked) throws Exception {
        var parameters = FunctionParameters.builder()
            .putAdditionalProperty("type", JsonValue.from("object"))
            .putAdditionalProperty("properties",
                JsonValue.from(Map.of("city", Map.of("type", "string"))))
            .putAdditionalProperty("required", JsonValue.from(List.of("city"))).build();
        var request = ChatCompletionCreateParams.builder().model("caller")
            .addUserMessage("How is the weather in Paris?")
            .addFunctionTool(FunctionDefinition.builder().name("get_weather")
                .parameters(parameters).build());
        while (true) {
            var completion = client.chat().completions().create(request.build());
            var message = completion.choices().get(0).message();
            var calls = message.toolCalls().orElse(List.of());
            if (calls.isEmpty()) return message.content().orElseThrow();
            request.addMessage(message);
            for (var call : calls) {
                var function = call.asFunction();
                asked.add(JSON.readTree(function.function().arguments()).get("city").asText());
                request.addMessage(ChatCompletionToolMessageParam.builder()
                    .toolCallId(function.id()).content("Sunny.").build());
            }
        }
    }

    public static void main(String[] args) throws Exception {
        var client = OpenAIOkHttpClient.builder().baseUrl(args[0] + "/v1").apiKey("none").build();
        var asked = new ArrayList<String>();
        var answer = ask(client);
        var report = act(client, asked);
        System.out.println(JSON.writeValueAsString(
            Map.of("answer", answer, "report", report, "asked", asked)));
        client.close();
    }
}

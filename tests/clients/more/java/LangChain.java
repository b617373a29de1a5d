// SPDX-License-Identifier: MIT

// As ../../sdks.py, with langchain4j: java -cp 'LIB/*' LangChain.java URL
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.langchain4j.agent.tool.P;
import dev.langchain4j.agent.tool.Tool;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.langchain4j.model.openai.OpenAiChatModel;
import dev.langchain4j.model.openai.OpenAiStreamingChatModel;
import dev.langchain4j.service.AiServices;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

class LangChain {
    interface Assistant {
        String chat(String message);
    }

    static class Weather {
        final List<String> asked = new ArrayList<>();

        @Tool(name = "get_weather")
        String weather(@P(name = "city", value = "a city") String city) {
            asked.add(city);
            return "Sunny.";
        }
    }

    static String ask(String url) throws Exception {
        var answer = new CompletableFuture<String>();
        var model = OpenAiStreamingChatModel.builder().baseUrl(url + "/v1").apiKey("none")
            .modelName("smol").temperature(0.0).maxCompletionTokens(24).build();
        model.chat("Name the capital of France.", new StreamingChatResponseHandler() {
            @Override
            public void onCompleteResponse(ChatResponse response) {
                answer.complete(response.aiMessage().text());
            }

            @Override
            public void onError(Throwable error) {
                answer.completeExceptionally(error);
            }
        });
        return answer.get();
    }

    static String act(String url, Weather tool) {
        var model = OpenAiChatModel.builder().baseUrl(url + "/v1").apiKey("none")
            .modelName("caller").build();
        return AiServices.builder(Assistant.class).chatModel(model).tools(tool).build()
            .chat("How is the weather in Paris?");
    }

    public static void main(String[] args) throws Exception {
        var tool = new Weather();
        var answer = ask(args[0]);
        var report = act(args[0], tool);
        System.out.println(new ObjectMapper().writeValueAsString(
            Map.of("answer", answer, "report", report, "asked", tool.asked)));
        System.exit(0); // its HTTP client keeps threads
    }
}

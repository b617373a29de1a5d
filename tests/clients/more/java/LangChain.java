// SPDX-License-Identifier: MIT

// langchain4j, as compiled.js wants it: java -cp 'LIB/*' LangChain.java URL
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.langchain4j.agent.tool.P;
import dev.langchain4j.agent.tool.Tool;
import dev.langchain4j.data.segment.TextSegment;
import dev.langchain4j.exception.ModelNotFoundException;
import dev.langchain4j.model.chat.Capability;
import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.model.chat.StreamingChatModel;
import dev.langchain4j.model.openai.OpenAiChatModel;
import dev.langchain4j.model.openai.OpenAiEmbeddingModel;
import dev.langchain4j.model.openai.OpenAiModelCatalog;
import dev.langchain4j.model.openai.OpenAiResponsesChatModel;
import dev.langchain4j.model.openai.OpenAiResponsesStreamingChatModel;
import dev.langchain4j.model.openai.OpenAiStreamingChatModel;
import dev.langchain4j.service.AiServices;
import dev.langchain4j.service.TokenStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;

class LangChain {
    static final String QUESTION = "Name the capital of France.";
    static final String TASK = "How is the weather in Paris?";

    interface Assistant {
        String chat(String message);
    }

    interface Speaker {
        TokenStream chat(String message);
    }

    enum City { Paris, Rome }

    record Place(City city) {}

    interface Traveller {
        Place place(String message);
    }

    static class Weather {
        final List<String> asked = new ArrayList<>();

        @Tool(name = "get_weather", value = "Tells the weather of a city.")
        String weather(@P(name = "city", value = "a city") String city) {
            asked.add(city);
            return "Sunny.";
        }
    }

    static List<String> pieces(StreamingChatModel model) throws Exception {
        var pieces = new ArrayList<String>();
        var end = new CompletableFuture<Void>();
        AiServices.create(Speaker.class, model).chat(QUESTION).onPartialResponse(pieces::add)
            .onCompleteResponse(all -> end.complete(null)).onError(end::completeExceptionally)
            .start();
        end.get();
        return pieces;
    }

    /** What was called, by a stream whose tool is run by langchain4j. */
    static List<Object> called(StreamingChatModel model) throws Exception {
        var tool = new Weather();
        var name = new CompletableFuture<String>();
        var end = new CompletableFuture<Void>();
        AiServices.builder(Speaker.class).streamingChatModel(model).tools(tool).build().chat(TASK)
            .onPartialResponse(piece -> {})
            .onToolExecuted(execution -> name.complete(execution.request().name()))
            .onCompleteResponse(all -> end.complete(null)).onError(end::completeExceptionally)
            .start();
        end.get();
        return List.of(name.get(), Map.of("city", tool.asked.get(0)));
    }

    static Map<String, Object> conversation(Function<String, ChatModel> models,
            Function<String, StreamingChatModel> streaming) throws Exception {
        var seen = new LinkedHashMap<String, Object>();
        seen.put("chat", models.apply("smol").chat(QUESTION));
        seen.put("pieces", pieces(streaming.apply("smol")));
        var tool = new Weather();
        seen.put("report", AiServices.builder(Assistant.class).chatModel(models.apply("caller"))
            .tools(tool).build().chat(TASK));
        seen.put("asked", tool.asked);
        seen.put("called", called(streaming.apply("caller")));
        seen.put("place", AiServices.create(Traveller.class, models.apply("smol")).place(QUESTION)
            .city().name());
        return seen;
    }

    static String error(String url) {
        try {
            OpenAiChatModel.builder().baseUrl(url).apiKey("none").modelName("nobody").build()
                .chat(QUESTION);
            return "none";
        } catch (ModelNotFoundException error) {
            return error.getMessage();
        }
    }

    public static void main(String[] args) throws Exception {
        var url = args[0] + "/v1";
        var seen = conversation(
            name -> OpenAiChatModel.builder().baseUrl(url).apiKey("none").modelName(name)
                .temperature(0.0).maxCompletionTokens(64)
                .supportedCapabilities(Capability.RESPONSE_FORMAT_JSON_SCHEMA)
                .strictJsonSchema(true).build(),
            name -> OpenAiStreamingChatModel.builder().baseUrl(url).apiKey("none").modelName(name)
                .temperature(0.0).maxCompletionTokens(64).build());
        seen.put("responses", conversation(
            name -> OpenAiResponsesChatModel.builder().baseUrl(url).apiKey("none").modelName(name)
                .temperature(0.0).maxOutputTokens(64).build(),
            name -> OpenAiResponsesStreamingChatModel.builder().baseUrl(url).apiKey("none")
                .modelName(name).temperature(0.0).maxOutputTokens(64).build()));
        seen.put("vectors", OpenAiEmbeddingModel.builder().baseUrl(url).apiKey("none")
            .modelName("vectors").build()
            .embedAll(List.of(TextSegment.from("One."), TextSegment.from("Two."))).content()
            .stream().map(one -> one.dimension()).toList());
        seen.put("models", OpenAiModelCatalog.builder().baseUrl(url).apiKey("none").build()
            .listModels().stream().map(one -> one.name()).toList());
        seen.put("error", error(url));
        System.out.println(new ObjectMapper().writeValueAsString(seen));
        System.exit(0); // its HTTP client keeps threads
    }
}

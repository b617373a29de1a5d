// SPDX-License-Identifier: MIT

//! async-openai, as ../../compiled.js wants it: cargo run -- URL
use async_openai::types::chat::{
    ChatCompletionMessageToolCalls, ChatCompletionRequestAssistantMessageArgs,
    ChatCompletionRequestMessage, ChatCompletionRequestToolMessageArgs,
    ChatCompletionRequestUserMessageArgs, ChatCompletionTool, ChatCompletionTools,
    CreateChatCompletionRequestArgs, FunctionObjectArgs, ResponseFormat, ResponseFormatJsonSchema,
};
use async_openai::types::embeddings::CreateEmbeddingRequestArgs;
use async_openai::types::responses::{
    CreateResponseArgs, FunctionCallOutput, FunctionCallOutputItemParam, FunctionTool,
    FunctionToolCall, InputItem, InputParam, Item, OutputItem, Response, ResponseStreamEvent, Tool,
};
use async_openai::{config::OpenAIConfig, Client};
use futures::StreamExt;
use serde_json::{json, Map, Value};
use std::error::Error;

type Result<T> = std::result::Result<T, Box<dyn Error>>;
type OpenAi = Client<OpenAIConfig>;

const QUESTION: &str = "Name the capital of France.";
const TASK: &str = "How is the weather in Paris?";
const NAME: &str = "get_weather";

fn parameters() -> Value {
    json!({"type": "object", "required": ["city"], "properties": {"city": {"type": "string"}},
           "additionalProperties": false})
}

fn schema() -> ResponseFormatJsonSchema {
    ResponseFormatJsonSchema {
        description: None,
        name: "place".into(),
        schema: json!({"type": "object", "required": ["city"], "additionalProperties": false,
            "properties": {"city": {"enum": ["Paris", "Rome"]}}}),
        strict: Some(true),
    }
}

fn city(arguments: &str) -> Result<Value> {
    let value: Value = serde_json::from_str(arguments)?;
    Ok(value["city"].clone())
}

fn user(text: &str) -> Result<Vec<ChatCompletionRequestMessage>> {
    Ok(vec![ChatCompletionRequestUserMessageArgs::default().content(text).build()?.into()])
}

fn tools() -> Result<Vec<ChatCompletionTools>> {
    let function =
        FunctionObjectArgs::default().name(NAME).parameters(parameters()).strict(true).build()?;
    Ok(vec![ChatCompletionTools::Function(ChatCompletionTool { function })])
}

fn request(
    model: &str,
    messages: Vec<ChatCompletionRequestMessage>,
) -> CreateChatCompletionRequestArgs {
    let mut request = CreateChatCompletionRequestArgs::default();
    request.model(model).messages(messages).max_completion_tokens(64u32).temperature(0.0);
    request
}

async fn chat(client: &OpenAi) -> Result<String> {
    let request = request("smol", user(QUESTION)?).build()?;
    let completion = client.chat().create(request).await?;
    Ok(completion.choices[0].message.content.clone().unwrap_or_default())
}

async fn pieces(client: &OpenAi) -> Result<Vec<String>> {
    let request = request("smol", user(QUESTION)?).build()?;
    let mut stream = client.chat().create_stream(request).await?;
    let mut pieces = Vec::new();
    while let Some(chunk) = stream.next().await {
        pieces.extend(chunk?.choices.into_iter().filter_map(|choice| choice.delta.content));
    }
    Ok(pieces)
}

/// Calls the tool until the model reports; gives the report and the cities asked for.
async fn act(client: &OpenAi) -> Result<(String, Vec<Value>)> {
    let mut messages = user(TASK)?;
    let mut asked = Vec::new();
    loop {
        let request = request("caller", messages.clone()).tools(tools()?).build()?;
        let mut completion = client.chat().create(request).await?;
        let message = completion.choices.swap_remove(0).message;
        let Some(calls) = message.tool_calls.filter(|calls| !calls.is_empty()) else {
            return Ok((message.content.unwrap_or_default(), asked));
        };
        let said = ChatCompletionRequestAssistantMessageArgs::default()
            .tool_calls(calls.clone())
            .build()?;
        messages.push(said.into());
        for call in calls {
            let ChatCompletionMessageToolCalls::Function(call) = call else {
                return Err("a custom call".into());
            };
            asked.push(city(&call.function.arguments)?);
            let result = ChatCompletionRequestToolMessageArgs::default()
                .content("Sunny.")
                .tool_call_id(call.id)
                .build()?;
            messages.push(result.into());
        }
    }
}

async fn called(client: &OpenAi) -> Result<Value> {
    let request = request("caller", user(TASK)?).tools(tools()?).build()?;
    let mut stream = client.chat().create_stream(request).await?;
    let (mut name, mut arguments) = (String::new(), String::new());
    while let Some(chunk) = stream.next().await {
        for choice in chunk?.choices {
            for function in choice.delta.tool_calls.into_iter().flatten().filter_map(|c| c.function)
            {
                name.push_str(function.name.as_deref().unwrap_or_default());
                arguments.push_str(function.arguments.as_deref().unwrap_or_default());
            }
        }
    }
    Ok(json!([name, serde_json::from_str::<Value>(&arguments)?]))
}

async fn place(client: &OpenAi) -> Result<Value> {
    let format = ResponseFormat::JsonSchema { json_schema: schema() };
    let request = request("smol", user(QUESTION)?).response_format(format).build()?;
    let completion = client.chat().create(request).await?;
    city(completion.choices[0].message.content.as_deref().unwrap_or_default())
}

async fn chats(client: &OpenAi) -> Result<Map<String, Value>> {
    let (report, asked) = act(client).await?;
    let seen = json!({"chat": chat(client).await?, "pieces": pieces(client).await?,
        "report": report, "asked": asked, "called": called(client).await?,
        "place": place(client).await?});
    Ok(seen.as_object().cloned().unwrap_or_default())
}

fn response(model: &str, input: InputParam) -> CreateResponseArgs {
    let mut request = CreateResponseArgs::default();
    request.model(model).input(input).max_output_tokens(64u32).temperature(0.0);
    request
}

fn text(input: &str) -> InputParam {
    InputParam::Text(input.into())
}

fn response_tools() -> Vec<Tool> {
    vec![Tool::Function(FunctionTool {
        name: NAME.into(),
        parameters: Some(parameters()),
        strict: Some(true),
        ..Default::default()
    })]
}

fn call_of(response: &Response) -> Result<FunctionToolCall> {
    let call = response.output.iter().find_map(|item| match item {
        OutputItem::FunctionCall(call) => Some(call.clone()),
        _ => None,
    });
    call.ok_or_else(|| "no call".into())
}

async fn act_by_responses(client: &OpenAi) -> Result<(String, Vec<Value>)> {
    let request = response("caller", text(TASK)).tools(response_tools()).build()?;
    let first = client.responses().create(request).await?;
    let call = call_of(&first)?;
    let asked = vec![city(&call.arguments)?];
    let result = InputItem::Item(Item::FunctionCallOutput(FunctionCallOutputItemParam {
        call_id: Some(call.call_id),
        output: FunctionCallOutput::Text("Sunny.".into()),
        id: None,
        status: None,
        caller: None,
        name: None,
        namespace: None,
    }));
    let request = response("caller", InputParam::Items(vec![result]))
        .previous_response_id(first.id)
        .tools(response_tools())
        .build()?;
    let last = client.responses().create(request).await?;
    Ok((last.output_text().unwrap_or_default(), asked))
}

/// The pieces of text, and the response that the stream ends with.
async fn stream(
    client: &OpenAi,
    request: &mut CreateResponseArgs,
) -> Result<(Vec<String>, Response)> {
    let mut stream = client.responses().create_stream(request.stream(true).build()?).await?;
    let mut pieces = Vec::new();
    while let Some(event) = stream.next().await {
        match event? {
            ResponseStreamEvent::ResponseOutputTextDelta(delta) => pieces.push(delta.delta),
            ResponseStreamEvent::ResponseCompleted(end) => return Ok((pieces, end.response)),
            _ => {}
        }
    }
    Err("the stream does not end".into())
}

async fn responses(client: &OpenAi) -> Result<Value> {
    let chat = client.responses().create(response("smol", text(QUESTION)).build()?).await?;
    let (pieces, _) = stream(client, &mut response("smol", text(QUESTION))).await?;
    let (report, asked) = act_by_responses(client).await?;
    let (_, end) = stream(client, response("caller", text(TASK)).tools(response_tools())).await?;
    let call = call_of(&end)?;
    let arguments: Value = serde_json::from_str(&call.arguments)?;
    let place = response("smol", text(QUESTION)).text(schema()).build()?;
    let place = client.responses().create(place).await?.output_text().unwrap_or_default();
    Ok(json!({"chat": chat.output_text(), "pieces": pieces, "report": report, "asked": asked,
        "called": [call.name, arguments], "place": city(&place)?}))
}

async fn vectors(client: &OpenAi) -> Result<Vec<usize>> {
    let request =
        CreateEmbeddingRequestArgs::default().model("vectors").input(["One.", "Two."]).build()?;
    let answer = client.embeddings().create(request).await?;
    Ok(answer.data.iter().map(|one| one.embedding.len()).collect())
}

async fn error(client: &OpenAi) -> Result<String> {
    let request = request("nobody", user(QUESTION)?).build()?;
    Ok(client.chat().create(request).await.err().ok_or("no error")?.to_string())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let url = std::env::args().nth(1).ok_or("no URL")?;
    let config = OpenAIConfig::new().with_api_base(format!("{url}/v1")).with_api_key("none");
    let client = Client::with_config(config);
    let mut seen = chats(&client).await?;
    seen.insert("responses".into(), responses(&client).await?);
    seen.insert("vectors".into(), json!(vectors(&client).await?));
    let models = client.models().list().await?.data;
    seen.insert("models".into(), models.into_iter().map(|one| one.id).collect());
    seen.insert("error".into(), json!(error(&client).await?));
    println!("{}", Value::Object(seen));
    Ok(())
}

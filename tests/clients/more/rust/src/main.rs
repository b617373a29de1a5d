// SPDX-License-Identifier: MIT

//! As ../../../sdks.py, with async-openai: cargo run -- URL
use async_openai::types::chat::{
    ChatCompletionMessageToolCalls, ChatCompletionRequestAssistantMessageArgs,
    ChatCompletionRequestMessage, ChatCompletionRequestToolMessageArgs,
    ChatCompletionRequestUserMessageArgs, ChatCompletionTool, ChatCompletionTools,
    CreateChatCompletionRequestArgs, FunctionObjectArgs,
};
use async_openai::{config::OpenAIConfig, Client};
use futures::StreamExt;
use serde_json::{json, Value};
use std::error::Error;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn user(text: &str) -> Result<Vec<ChatCompletionRequestMessage>> {
    Ok(vec![ChatCompletionRequestUserMessageArgs::default().content(text).build()?.into()])
}

async fn ask(client: &Client<OpenAIConfig>) -> Result<String> {
    let request = CreateChatCompletionRequestArgs::default()
        .model("smol")
        .messages(user("Name the capital of France.")?)
        .max_completion_tokens(24u32)
        .temperature(0.0)
        .build()?;
    let mut stream = client.chat().create_stream(request).await?;
    let mut answer = String::new();
    while let Some(chunk) = stream.next().await {
        for choice in chunk?.choices {
            answer.push_str(choice.delta.content.as_deref().unwrap_or_default());
        }
    }
    Ok(answer)
}

/// Calls the tool until the model reports; gives the report and the cities asked for.
async fn act(client: &Client<OpenAIConfig>) -> Result<(String, Vec<String>)> {
    let tool = FunctionObjectArgs::default()
        .name("get_weather")
        .parameters(json!({"type": "object", "required": ["city"],
                           "properties": {"city": {"type": "string"}}}))
        .build()?;
    let tools = vec![ChatCompletionTools::Function(ChatCompletionTool { function: tool })];
    let mut messages = user("How is the weather in Paris?")?;
    let mut asked = Vec::new();
    loop {
        let request = CreateChatCompletionRequestArgs::default()
            .model("caller")
            .messages(messages.clone())
            .tools(tools.clone())
            .build()?;
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
            let arguments: Value = serde_json::from_str(&call.function.arguments)?;
            asked.push(arguments["city"].as_str().unwrap_or_default().to_string());
            let result = ChatCompletionRequestToolMessageArgs::default()
                .content("Sunny.")
                .tool_call_id(call.id)
                .build()?;
            messages.push(result.into());
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let url = std::env::args().nth(1).ok_or("no URL")?;
    let config = OpenAIConfig::new().with_api_base(format!("{url}/v1")).with_api_key("none");
    let client = Client::with_config(config);
    let answer = ask(&client).await?;
    let (report, asked) = act(&client).await?;
    println!("{}", json!({"answer": answer, "report": report, "asked": asked}));
    Ok(())
}

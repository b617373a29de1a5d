// SPDX-License-Identifier: MIT

//! ollama-rs, as ../../compiled.js wants it: cargo run -- URL
use ollama_rs::coordinator::Coordinator;
use ollama_rs::generation::chat::{request::ChatMessageRequest, ChatMessage};
use ollama_rs::generation::completion::request::GenerationRequest;
use ollama_rs::generation::embeddings::request::GenerateEmbeddingsRequest;
use ollama_rs::generation::parameters::{FormatType, JsonSchema, JsonStructure};
use ollama_rs::{models::ModelOptions, Ollama};
use serde::Deserialize;
use serde_json::{json, Value};
use std::error::Error;
use std::sync::Mutex;
use tokio_stream::StreamExt;

type Failure = Box<dyn Error + Send + Sync>;
type Result<T> = std::result::Result<T, Failure>;

const QUESTION: &str = "Name the capital of France.";
static ASKED: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Tells the weather of a city.
///
/// * city - a city
#[ollama_rs::function]
async fn get_weather(city: String) -> std::result::Result<String, Failure> {
    ASKED.lock().map_err(|_| "poisoned")?.push(city);
    Ok("Sunny.".into())
}

#[derive(Deserialize, JsonSchema)]
#[allow(dead_code)]
enum City {
    Paris,
    Rome,
}

#[derive(Deserialize, JsonSchema)]
#[allow(dead_code)]
struct Place {
    city: City,
}

fn request(model: &str) -> ChatMessageRequest {
    ChatMessageRequest::new(model.into(), vec![ChatMessage::user(QUESTION.into())])
        .options(ModelOptions::default().temperature(0.0).num_predict(64))
}

async fn pieces(ollama: &Ollama) -> Result<Vec<String>> {
    let mut stream = ollama.send_chat_messages_stream(request("smol")).await?;
    let mut pieces = Vec::new();
    while let Some(piece) = stream.next().await {
        pieces.push(piece.map_err(|_| "no piece")?.message.content);
    }
    Ok(pieces)
}

async fn act(ollama: &Ollama) -> Result<String> {
    let mut coordinator =
        Coordinator::new(ollama.clone(), "caller".into(), vec![]).add_tool(get_weather);
    let task = ChatMessage::user("How is the weather in Paris?".into());
    Ok(coordinator.chat(vec![task]).await?.message.content)
}

async fn place(ollama: &Ollama) -> Result<Value> {
    let format = FormatType::StructuredJson(Box::new(JsonStructure::new::<Place>()));
    let answer = ollama.send_chat_messages(request("smol").format(format)).await?;
    let value: Value = serde_json::from_str(&answer.message.content)?;
    Ok(value["city"].clone())
}

fn prompt() -> GenerationRequest<'static> {
    GenerationRequest::new("smol".into(), QUESTION)
        .options(ModelOptions::default().temperature(0.0).num_predict(64))
}

async fn generated(ollama: &Ollama) -> Result<Value> {
    let whole = ollama.generate(prompt()).await?.response;
    let mut stream = ollama.generate_stream(prompt()).await?;
    let mut streamed = String::new();
    while let Some(pieces) = stream.next().await {
        streamed.extend(pieces?.into_iter().map(|piece| piece.response));
    }
    Ok(json!([whole, streamed]))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let url = std::env::args().nth(1).ok_or("no URL")?;
    let ollama = Ollama::try_new(url)?;
    let texts = vec!["One.", "Two."].into();
    let vectors =
        ollama.generate_embeddings(GenerateEmbeddingsRequest::new("vectors".into(), texts)).await?;
    let models = ollama.list_local_models().await?;
    let error = ollama.send_chat_messages(request("nobody")).await.err().ok_or("no error")?;
    let seen = json!({
        "chat": ollama.send_chat_messages(request("smol")).await?.message.content,
        "pieces": pieces(&ollama).await?,
        "report": act(&ollama).await?,
        "asked": *ASKED.lock().map_err(|_| "poisoned")?,
        "place": place(&ollama).await?,
        "generated": generated(&ollama).await?,
        "vectors": vectors.embeddings.iter().map(Vec::len).collect::<Vec<_>>(),
        "models": models.iter().map(|one| one.name.replace(":latest", "")).collect::<Vec<_>>(),
        "error": error.to_string(),
    });
    println!("{seen}");
    Ok(())
}

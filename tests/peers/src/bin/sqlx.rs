//! sqlx's own program, as its crate has it. Built here, and not by `cargo install`: it shares sqlx with the reader.

use clap::Parser as _;
use sqlx_cli::Opt;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    sqlx_cli::maybe_apply_dotenv();
    if let Err(error) = sqlx_cli::run(Opt::parse()).await {
        println!("error: {error}");
        std::process::exit(1);
    }
}

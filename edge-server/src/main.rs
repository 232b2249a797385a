//! `nearcast-edge`: see [`nearcast_edge::cli`].

fn main() -> std::process::ExitCode {
    nearcast_edge::cli::main()
}

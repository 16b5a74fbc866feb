// frequent: an ordinary Rust program, which knows nothing of dugnad: the word that its input holds most often, and how often; of several
// the first in the alphabet. Built for wasm32-wasi it is a guest as it stands:
//   rustc --target wasm32-wasi -O frequent.rs -o frequent.wasm
//   dugnad submit frequent.wasm --files 'chapters/*.txt'
use std::collections::BTreeMap;
use std::io::Read;

fn main() {
    let mut text = String::new();
    if let Err(error) = std::io::stdin().read_to_string(&mut text) {
        eprintln!("frequent: {}", error);
        std::process::exit(1);
    }
    let mut times = BTreeMap::new();
    for word in text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        *times.entry(word.to_lowercase()).or_insert(0u64) += 1;
    }
    let mut best: Option<(&String, u64)> = None;
    for (word, &count) in &times {
        if best.map_or(true, |(_, most)| count > most) {
            best = Some((word, count));
        }
    }
    if let Some((word, count)) = best {
        println!("{} {}", word, count);
    }
}

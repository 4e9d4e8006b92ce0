//! Builds and downloads, before the tests, what they use beside the workspace's own build. A test that finds one of
//! these missing makes it itself: this program makes no difference but in time.

#![expect(clippy::print_stdout, reason = "it is a program for people")]

use std::time::Instant;

use tests::Python;

fn main() {
    let steps: [(&str, fn()); 4] = [
        ("container helper", || drop(tests::container_helper())),
        ("peers", || drop(tests::peers())),
        ("workspace outside this one", tests::outside),
        ("Python packages", || Python::lists().iter().for_each(|list| drop(Python::with(list)))),
    ];
    for (name, step) in steps {
        let start = Instant::now();
        step();
        println!("{name}: {:.1} s", start.elapsed().as_secs_f64());
    }
}

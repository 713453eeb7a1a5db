package frameworktest

import "testing"

// Benchmark TODO
func Benchmark(b *testing.B, serve Serve) { b.Helper() }

package main

import (
	"testing"

	"github.com/amplify-go/amplify/internal/frameworktest"
)

func TestApplication(t *testing.T) { frameworktest.Run(t, frameworktest.Handler(newApp)) }

func BenchmarkMe(b *testing.B) { frameworktest.Benchmark(b, frameworktest.Handler(newApp)) }

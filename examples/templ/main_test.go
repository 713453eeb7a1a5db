package main

import (
	"bytes"
	"go/format"
	"os"
	"testing"

	"github.com/a-h/templ"
	"github.com/a-h/templ/generator"
	parser "github.com/a-h/templ/parser/v2"

	"github.com/amplify-go/amplify/internal/frameworktest"
)

func TestApplication(t *testing.T) { frameworktest.Run(t, frameworktest.Handler(newApp)) }

func BenchmarkMe(b *testing.B) { frameworktest.Benchmark(b, frameworktest.Handler(newApp)) }

// TestGenerated: home_templ.go is what templ makes of home.templ.
func TestGenerated(t *testing.T) {
	file, err := parser.Parse("home.templ")
	if err != nil {
		t.Fatal(err)
	}
	var code bytes.Buffer
	_, err = generator.Generate(file, &code,
		generator.WithVersion(templ.Version()), generator.WithFileName("home.templ"))
	if err != nil {
		t.Fatal(err)
	}
	want, err := format.Source(code.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("home_templ.go")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("home_templ.go is not what home.templ gives: run go generate ./examples/templ")
	}
}

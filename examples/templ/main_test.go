package main

import (
	"bytes"
	"go/format"
	"net/http"
	"os"
	"testing"

	"github.com/a-h/templ"
	"github.com/a-h/templ/generator"
	parser "github.com/a-h/templ/parser/v2"

	"github.com/amplify-go/amplify/amplifyhttp"
	"github.com/amplify-go/amplify/internal/frameworktest"
)

func TestApplication(t *testing.T) { frameworktest.Run(t, frameworktest.Handler(newApp)) }

func BenchmarkMe(b *testing.B) {
	frameworktest.Benchmark(b, frameworktest.Handler(newApp), frameworktest.Handler(newBare))
}

// newBare returns an application with nothing but /me, which answers without the library.
func newBare(*amplifyhttp.ServerRunner, bool) (http.Handler, error) {
	somebody := identity{"alice", "6f8b1c2a-1111-4222-8333-000000000000"}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /me",
		func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, somebody) })
	return mux, nil
}

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

package main

import (
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/amplify-go/amplify/internal/markdown"
)

// TestDocs: the commands that README and guides show are commands of this program.
func TestDocs(t *testing.T) {
	t.Parallel()
	repository := os.DirFS("../..")
	pages, err := fs.Glob(repository, "docs/*/*.md")
	if err != nil {
		t.Fatal(err)
	}
	pages = append(pages, "README.md", "docs/testing.md")
	commands := 0
	for _, page := range pages {
		text, err := fs.ReadFile(repository, page)
		if err != nil {
			t.Fatal(err)
		}
		doc, err := markdown.Parse(string(text))
		if err != nil {
			t.Fatalf("%s: %v", page, err)
		}
		for _, block := range doc.Blocks {
			if block.Language != "sh" {
				continue
			}
			for i, line := range strings.Split(block.Text, "\n") {
				args := shownArguments(line)
				if len(args) == 0 {
					continue
				}
				commands++
				var cl commandLine
				if _, err := newParser(&cl).Parse(args); err != nil {
					t.Errorf("%s:%d: amplify-go %s: %v", page, block.Line+i, strings.Join(args, " "), err)
				}
			}
		}
	}
	if commands < 5 {
		t.Errorf("%d commands: is this test looking in the right place?", commands)
	}
}

func TestShownArguments(t *testing.T) {
	t.Parallel()
	for line, want := range map[string][]string{
		"go install example.com/cmd/amplify-go@latest":                      nil,
		"  go run ./cmd/amplify-go sandbox --port=0 # on a port of its own": {"sandbox", "--port=0"},
		"A=b amplify-go doctor --request=- <page.har && make":               {"doctor", "--request=-"},
		"go tool amplify-go version | cat":                                  {"version"},
		"# amplify-go version":                                              nil,
	} {
		if got := shownArguments(line); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
}

// shownArguments returns what a line of a shell gives to amplify-go.
func shownArguments(line string) []string {
	words := strings.Fields(line)
	for i, word := range words {
		if strings.HasPrefix(word, "#") {
			return nil
		}
		name, _, _ := strings.Cut(path.Base(word), "@")
		if name != "amplify-go" {
			continue
		}
		args := words[i+1:]
		if end := slices.IndexFunc(args, func(arg string) bool { return strings.ContainsAny(arg[:1], "<>|&;#") }); end >= 0 {
			args = args[:end]
		}
		return args
	}
	return nil
}

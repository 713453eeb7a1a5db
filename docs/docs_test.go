// Package docs holds the documentation. Its tests compare it with the code: what a page shows must
// be what compiles, and what it leads to must be there.
package docs

import (
	"fmt"
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"maps"
	"net/url"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/amplify-go/amplify/internal/markdown"
)

// repository is the checkout.
var repository = os.DirFS("..")

// TestRepository: what the pages show and lead to is there.
func TestRepository(t *testing.T) {
	t.Parallel()
	pages, err := readPages(repository)
	if err != nil {
		t.Fatal(err)
	}
	sources, err := compiledSources(repository)
	if err != nil {
		t.Fatal(err)
	}
	if len(pages) < 10 || len(sources) < 200 {
		t.Fatalf("%d pages and %d Go files: is this the whole repository?",
			len(pages), len(sources))
	}
	for _, fault := range faults(repository, pages, sources) {
		t.Error(fault)
	}
}

// TestFaults: what is wrong is found, and the message says what to do.
func TestFaults(t *testing.T) {
	t.Parallel()
	fsys := fstest.MapFS{
		"Makefile":      {Data: []byte("help:\ndemo: help\n")},
		"a/a.go":        {Data: []byte("package a\n\nfunc f() {\n\tg()\n}\n")},
		"a/never.go":    {Data: []byte("//go:build never\n\npackage a\n\nfunc h() {}\n")},
		"a/testdata/x":  {},
		"a/js_wasm.go":  {Data: []byte("package a\n\nfunc w() {}\n")},
		"_old/old.go":   {Data: []byte("package old\n")},
		"docs/other.md": {Data: []byte("# A title\n")},
	}
	const uncompiled = "docs/page.md:2: no compiled Go file has this code. " +
		"Write it into an example or a test, and keep both the same"
	tests := map[string]struct{ page, want string }{
		"code":                {"```go\nfunc f() {\n  g()\n}\n```\n[a](../a)", ""},
		"code of WebAssembly": {"```go\nfunc w() {}\n```\n[a](../a/js_wasm.go)", ""},
		"code without its file": {"```go\nfunc w() {}\n```\n[a](../a/a.go)", "docs/page.md:2: " +
			"readers need the imports of this code, and what it uses. " +
			"Link to a/js_wasm.go, or to its folder"},
		"code that differs": {"\n```go\nfunc f() {\n  h()\n}\n```", "docs/page.md:4: " +
			"the code from here on is in no compiled Go file. " +
			"a/a.go has the lines before it: make both the same"},
		"the end of a line":         {"```go\nf() {\n```", uncompiled},
		"code that is not compiled": {"```go\nfunc h() {}\n```", uncompiled},
		"code that is skipped":      {"```go\npackage old\n```", uncompiled},
		"links": {"# Here\n[a](#here) [b](other.md#a-title) [c](../a) [d](/a/a.go) " +
			"[e](https://example.com/x#y)", ""},
		"a link that leads nowhere": {"[a](othre.md)", `docs/page.md:1: "othre.md" is not there`},
		"a link out of here": {"[a](../../x.md)",
			`docs/page.md:1: "../../x.md" is not there`},
		"an anchor that is missing": {"[a](other.md#atitle)",
			`docs/page.md:1: docs/other.md has no heading "#atitle". It has: #a-title`},
		"an anchor of this page": {"# Here\n[a](#there)",
			`docs/page.md:2: docs/page.md has no heading "#there". It has: #here`},
		"an anchor of a folder": {"[a](../a#x)",
			`docs/page.md:1: "../a#x": only Markdown files have anchors`},
		"commands": {"```sh\nmake demo A=b # make coffee\nmake\n" +
			"make demo && go run ./a | tee x\ngo vet ./...\n```", ""},
		"a task that is missing": {"```sh\n\nX=y make -s dmeo\n```",
			`docs/page.md:3: the Makefile has no task "dmeo". "make help" lists them`},
		"a package that is missing": {"```sh\ngo run ./b\n```",
			`docs/page.md:2: "./b" is not there`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fsys := maps.Clone(fsys)
			fsys["docs/page.md"] = &fstest.MapFile{Data: []byte(tt.page)}
			pages, err := readPages(fsys)
			if err != nil {
				t.Fatal(err)
			}
			sources, err := compiledSources(fsys)
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(faults(fsys, pages, sources), "\n"); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

// TestReasons: the guide to troubleshooting explains each reason.
func TestReasons(t *testing.T) {
	t.Parallel()
	file, err := parser.ParseFile(token.NewFileSet(), "../error.go", nil,
		parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	guide, err := fs.ReadFile(repository, "docs/guides/troubleshooting.md")
	if err != nil {
		t.Fatal(err)
	}
	reasons := 0
	for node := range ast.Preorder(file) {
		spec, ok := node.(*ast.ValueSpec)
		if !ok || !strings.HasPrefix(spec.Names[0].Name, "Reason") {
			continue
		}
		reasons++
		reason, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		row := regexp.MustCompile("(?m)^\\|[^|]*`" + reason + "`[^|]*\\|[^|]+\\|[^|]+\\|$")
		if !row.Match(guide) {
			t.Errorf("docs/guides/troubleshooting.md has no row for `%s`: "+
				"what is wrong, and what to do", reason)
		}
	}
	if reasons < 20 {
		t.Errorf("error.go has %d reasons: are they elsewhere now?", reasons)
	}
}

// readPages returns all Markdown files, by path.
func readPages(fsys fs.FS) (map[string]*markdown.Document, error) {
	pages := map[string]*markdown.Document{}
	err := walk(fsys, func(name string) error {
		if path.Ext(name) != ".md" {
			return nil
		}
		text, err := fs.ReadFile(fsys, name)
		if err != nil {
			return err
		}
		pages[name], err = markdown.Parse(string(text))
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		return nil
	})
	return pages, err
}

// compiledSources returns the Go files that "make test" compiles, by path, each without its
// indentation. That is for this system and for both kinds of WebAssembly, and with the tag of "make
// interop".
func compiledSources(fsys fs.FS) (map[string]string, error) {
	native := build.Default
	native.BuildTags = []string{"interop"}
	browser, wasi := build.Default, build.Default
	browser.GOOS, browser.GOARCH = "js", "wasm"
	wasi.GOOS, wasi.GOARCH = "wasip1", "wasm"
	contexts := []build.Context{build.Default, native, browser, wasi}
	for i := range contexts {
		contexts[i].OpenFile = func(name string) (io.ReadCloser, error) { return fsys.Open(name) }
	}

	sources := map[string]string{}
	err := walk(fsys, func(name string) error {
		dir, base := path.Split(name)
		if path.Ext(name) != ".go" || strings.Contains("/"+name, "/_") ||
			strings.Contains("/"+name, "/testdata/") {
			return nil
		}
		for _, c := range contexts {
			match, err := c.MatchFile(dir, base)
			if err != nil {
				return err
			}
			if match {
				text, err := fs.ReadFile(fsys, name)
				sources[name] = unindented(string(text))
				return err
			}
		}
		return nil
	})
	return sources, err
}

// walk calls visit for the files of the repository: not for what git and npm keep.
func walk(fsys fs.FS, visit func(name string) error) error {
	return fs.WalkDir(fsys, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && name != "." &&
			(strings.HasPrefix(entry.Name(), ".") || entry.Name() == "node_modules"):
			return fs.SkipDir
		case !entry.Type().IsRegular():
			return nil
		}
		return visit(name)
	})
}

// unindented returns text with a line break before and after each line, and no space there.
func unindented(text string) string {
	var b strings.Builder
	b.WriteByte('\n')
	for line := range strings.Lines(text) {
		b.WriteString(strings.TrimSpace(line) + "\n")
	}
	return b.String()
}

// faults says what is wrong with the pages, and what to do.
func faults(fsys fs.FS, pages map[string]*markdown.Document, sources map[string]string) []string {
	return slices.Concat(codeFaults(pages, sources), linkFaults(fsys, pages),
		commandFaults(fsys, pages))
}

// codeFaults says which blocks of Go of the README and of docs are not part of a compiled file.
// Other pages may show what other projects do.
func codeFaults(pages map[string]*markdown.Document, sources map[string]string) []string {
	var faults []string
	for _, name := range slices.Sorted(maps.Keys(pages)) {
		if name != "README.md" && !strings.HasPrefix(name, "docs/") {
			continue
		}
		for _, block := range pages[name].Blocks {
			if block.Language != "go" {
				continue
			}
			lines := strings.SplitAfter(unindented(block.Text), "\n")[1:]
			source, same := bestMatch(lines, sources)
			switch {
			case source == "":
				faults = append(faults, fmt.Sprintf("%s:%d: no compiled Go file has this code. "+
					"Write it into an example or a test, and keep both the same", name, block.Line))
			case same < strings.Count(block.Text, "\n"):
				faults = append(faults,
					fmt.Sprintf("%s:%d: the code from here on is in no compiled "+
						"Go file. %s has the lines before it: make both the same",
						name, block.Line+same, source))
			case !leadsTo(name, pages[name], strings.Join(lines, ""), sources):
				faults = append(faults, fmt.Sprintf("%s:%d: readers need the imports of this code, "+
					"and what it uses. Link to %s, or to its folder", name, block.Line, source))
			}
		}
	}
	return faults
}

// bestMatch returns the file that has the most of the first lines, and how many.
func bestMatch(lines []string, sources map[string]string) (name string, same int) {
	for _, source := range slices.Sorted(maps.Keys(sources)) {
		for same < len(lines) &&
			strings.Contains(sources[source], "\n"+strings.Join(lines[:same+1], "")) {
			name, same = source, same+1
		}
	}
	return name, same
}

// leadsTo reports whether a page has a link to a file with this code, or to the file's folder.
func leadsTo(name string, page *markdown.Document, code string, sources map[string]string) bool {
	return slices.ContainsFunc(page.Links, func(link markdown.Link) bool {
		target, _, _ := strings.Cut(link.Target, "#")
		target = path.Join(path.Dir(name), target)
		for source, text := range sources {
			if (source == target || path.Dir(source) == target) && strings.Contains(text, "\n"+code) {
				return true
			}
		}
		return false
	})
}

// linkFaults says which links and images lead nowhere. Links to other sites are not followed.
func linkFaults(fsys fs.FS, pages map[string]*markdown.Document) []string {
	var faults []string
	for _, name := range slices.Sorted(maps.Keys(pages)) {
		for _, link := range pages[name].Links {
			fault := func(format string, args ...any) {
				place := fmt.Sprintf("%s:%d: ", name, link.Line)
				faults = append(faults, place+fmt.Sprintf(format, args...))
			}
			target, err := url.Parse(link.Target)
			if err != nil {
				fault("%v", err)
				continue
			}
			if target.IsAbs() || target.Host != "" {
				continue
			}
			file := name
			if rooted, ok := strings.CutPrefix(target.Path, "/"); ok {
				file = path.Clean(rooted)
			} else if target.Path != "" {
				file = path.Join(path.Dir(name), target.Path)
			}
			if _, err := fs.Stat(fsys, file); err != nil {
				fault("%q is not there", link.Target)
				continue
			}
			switch page := pages[file]; {
			case target.Fragment == "":
			case page == nil:
				fault("%q: only Markdown files have anchors", link.Target)
			case !page.Anchors[target.Fragment]:
				fault("%s has no heading %q. It has: #%s", file, "#"+target.Fragment,
					strings.Join(slices.Sorted(maps.Keys(page.Anchors)), " #"))
			}
		}
	}
	return faults
}

var (
	comment = regexp.MustCompile(`(^|\s)#.*`)
	task    = regexp.MustCompile(`(?m)^[a-z-]+:`)
)

// commandFaults says which commands name tasks of the Makefile or folders that are not there. The
// tests of cmd/amplify-go do the same for its flags.
func commandFaults(fsys fs.FS, pages map[string]*markdown.Document) []string {
	makefile, err := fs.ReadFile(fsys, "Makefile")
	if err != nil {
		return []string{err.Error()}
	}
	tasks := task.FindAllString(string(makefile), -1)
	var faults []string
	for _, name := range slices.Sorted(maps.Keys(pages)) {
		for _, block := range pages[name].Blocks {
			if block.Language != "sh" {
				continue
			}
			for i, line := range strings.Split(block.Text, "\n") {
				words := strings.Fields(comment.ReplaceAllString(line, ""))
				for j, word := range words {
					fault := func(format string, args ...any) {
						place := fmt.Sprintf("%s:%d: ", name, block.Line+i)
						faults = append(faults, place+fmt.Sprintf(format, args...))
					}
					if word == "make" {
						for _, argument := range words[j+1:] {
							if strings.ContainsAny(argument, "&|;") {
								break // another command
							}
							if !strings.ContainsAny(argument, "=-") &&
								!slices.Contains(tasks, argument+":") {
								fault("the Makefile has no task %q. \"make help\" lists them",
									argument)
							}
						}
					}
					if strings.HasPrefix(word, "./") && slices.Contains(words, "go") {
						dir := path.Clean(strings.TrimSuffix(word, "..."))
						if _, err := fs.Stat(fsys, dir); err != nil {
							fault("%q is not there", word)
						}
					}
				}
			}
		}
	}
	return faults
}

package flow

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
)

func TestLanguageOfPages(t *testing.T) {
	l := newLanguages()
	for _, tt := range []struct {
		accept []string
		want   string
	}{
		{nil, "en"},
		{[]string{""}, "en"},
		{[]string{"de"}, "de"},
		{[]string{"de-AT,de;q=0.9,en;q=0.8"}, "de"},
		{[]string{"ja-JP"}, "ja"},
		{[]string{"FR-ca"}, "fr"},
		{[]string{"zh-Hant-TW, es-419 ; q=0.7, en;q=0.5"}, "es"},
		{[]string{"en;q=0.5,fr;q=0.7"}, "fr"},
		{[]string{"en,fr"}, "en"},
		{[]string{"fr,en"}, "fr"},
		{[]string{"pt,nl"}, "en"},
		{[]string{"*"}, "en"},
		{[]string{"de;q=0,fr;q=0.1"}, "fr"},
		{[]string{"de;q=x,fr;q=0.1"}, "fr"},
		{[]string{"de;q=NaN"}, "en"},
		{[]string{"den,deu"}, "en"},
		{[]string{"../lang/de"}, "en"},
		{[]string{"pt", "es"}, "es"}, // two lines are one list
		{[]string{strings.Repeat("pt,", maxLanguages) + "de"}, "en"},
		{[]string{"de-" + strings.Repeat("x", maxLanguage) + ",fr;q=0.1"}, "fr"},
	} {
		if got := l.preferred(tt.accept); got != tt.want {
			t.Errorf("%.60q: %q, want %q", tt.accept, got, tt.want)
		}
	}
}

// TestPagesAreTranslated: the texts of the source, and no others, are there in every language.
func TestPagesAreTranslated(t *testing.T) {
	used := textsOfPages(t)
	for lang, texts := range newLanguages() {
		if lang == english {
			continue
		}
		if d := gocmp.Diff(used, slices.Sorted(maps.Keys(texts))); d != "" {
			t.Errorf("%s (-source +translated)\n%s", lang, d)
		}
		for english, text := range texts {
			if text == "" || text == english {
				t.Errorf("%s: %q is %q", lang, english, text)
			}
		}
	}
	p := Page{Title: "You are not signed in", Text: textCognito + " invalid_grant.", LinkText: "Sign in"}
	newLanguages().translate(&p, []string{"de"})
	want := Page{Lang: "de", Title: "Sie sind nicht angemeldet", Text: "Cognito meldet: invalid_grant.", LinkText: "Anmelden"}
	if d := gocmp.Diff(want, p); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

// textsOfPages returns the texts that the source of this package puts into pages.
func textsOfPages(t *testing.T) []string {
	found := map[string]bool{}
	add := func(e ast.Expr) {
		if lit, ok := e.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			if s, err := strconv.Unquote(lit.Value); err == nil && s != "" {
				found[s] = true
			}
		}
	}
	isText := func(e ast.Expr) bool {
		switch e := e.(type) {
		case *ast.Ident:
			return slices.Contains([]string{"Title", "Text", "LinkText", "text"}, e.Name)
		case *ast.SelectorExpr:
			return slices.Contains([]string{"Title", "Text", "LinkText"}, e.Sel.Name)
		}
		return false
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") || name == "page.go" { // whose pages only try a template
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.KeyValueExpr:
				if isText(n.Key) {
					add(n.Value)
				}
			case *ast.AssignStmt:
				for i, left := range n.Lhs {
					if isText(left) && len(n.Rhs) == len(n.Lhs) {
						add(n.Rhs[i])
					}
				}
			case *ast.ValueSpec:
				for i, name := range n.Names {
					if strings.HasPrefix(name.Name, "text") && i < len(n.Values) {
						add(n.Values[i])
					}
				}
			case *ast.CallExpr:
				if f, ok := n.Fun.(*ast.SelectorExpr); ok && f.Sel.Name == "signInFailed" {
					add(n.Args[2])
				}
			}
			return true
		})
	}
	return slices.Sorted(maps.Keys(found))
}

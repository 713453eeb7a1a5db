package login

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestLanguagesHaveTheSameTexts(t *testing.T) {
	locales := loadLocales()
	en := locales["en"]
	if len(locales) != len(languages) || len(en.text) == 0 {
		t.Fatalf("%d languages", len(locales))
	}
	verbs := regexp.MustCompile(`%[a-z]`)
	for tag, l := range locales {
		for key, text := range en.text {
			other, ok := l.text[key]
			switch {
			case !ok || strings.TrimSpace(other) == "":
				t.Errorf("%s has no %s", tag, key)
			case fmt.Sprint(verbs.FindAllString(text, -1)) != fmt.Sprint(verbs.FindAllString(other, -1)):
				t.Errorf("%s: %s has other verbs: %q", tag, key, other)
			}
		}
		for key := range l.text {
			if _, ok := en.text[key]; !ok {
				t.Errorf("%s has %s, which en has not", tag, key)
			}
		}
	}
}

// Each text is used, and each text that is used exists. Texts of errors and fields are found by the
// pool's codes and the attributes' names.
func TestTextsAreUsed(t *testing.T) {
	var source strings.Builder
	for _, pattern := range []string{"*.go", "pages/*.html"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatal(pattern, err)
		}
		for _, f := range files {
			if strings.HasSuffix(f, "_test.go") {
				continue
			}
			b, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			source.Write(b)
		}
	}
	used := map[string]bool{}
	for _, m := range regexp.MustCompile(`"([a-zA-Z]+(?:\.[a-zA-Z_]+)+)"`).FindAllStringSubmatch(source.String(), -1) {
		used[m[1]] = true
	}
	text := loadLocales()["en"].text
	for _, key := range slices.Sorted(maps.Keys(text)) {
		group, _, _ := strings.Cut(key, ".")
		if !used[key] && !slices.Contains([]string{"error", "field", "policy"}, group) {
			t.Errorf("nothing uses %s", key)
		}
	}
	for key := range used {
		group, _, _ := strings.Cut(key, ".")
		if _, ok := text[key]; !ok && slices.ContainsFunc(slices.Collect(maps.Keys(text)), func(k string) bool { return strings.HasPrefix(k, group+".") }) {
			t.Errorf("there is no text %s", key)
		}
	}
	// Codes of the pool, from its source: a new one needs a text.
	errors, err := os.ReadFile("../userpool/error.go")
	if err != nil {
		t.Fatal(err)
	}
	codes := regexp.MustCompile(`= "([A-Za-z]+Exception)"`).FindAllStringSubmatch(string(errors), -1)
	if len(codes) < 10 {
		t.Fatalf("found %d codes", len(codes))
	}
	// These cannot come of what a page does.
	never := []string{"GroupExistsException", "InvalidLambdaResponseException", "RefreshTokenReuseException", "ResourceNotFoundException",
		"UnsupportedTokenTypeException", "UnsupportedUserStateException", "UserLambdaValidationException"}
	for _, m := range codes {
		if _, ok := text["error."+m[1]]; !ok && !slices.Contains(never, m[1]) {
			t.Errorf("no text for %s", m[1])
		}
	}
	for key := range text {
		if code, ok := strings.CutPrefix(key, "error."); ok && strings.HasSuffix(code, "Exception") {
			code = code[strings.LastIndex(code, ".")+1:]
			if !slices.ContainsFunc(codes, func(m []string) bool { return m[1] == code }) {
				t.Errorf("%s is no code of the pool", key)
			}
		}
	}
}

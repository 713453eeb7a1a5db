package amplify_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestSecurityNamesTests: each test that SECURITY.md names exists, in the package that it names.
func TestSecurityNamesTests(t *testing.T) {
	document, err := os.ReadFile("SECURITY.md")
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile("`([a-z]+)\\.((?:Test|Fuzz|Benchmark)[A-Za-z0-9]+)`").FindAllStringSubmatch(string(document), -1)
	if len(named) < 50 {
		t.Fatalf("SECURITY.md names %d tests", len(named))
	}
	known := map[string]bool{}
	function := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Benchmark)[A-Za-z0-9]+)\(`)
	if err := filepath.WalkDir(".", func(file string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "node_modules" || d.Name() == ".git"):
			return filepath.SkipDir
		case !strings.HasSuffix(file, "_test.go"):
			return nil
		}
		source, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		name := filepath.Base(filepath.Dir(file))
		if name == "." {
			name = "amplify"
		}
		for _, f := range function.FindAllStringSubmatch(string(source), -1) {
			known[name+"."+f[1]] = true
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for _, n := range named {
		if test := n[1] + "." + n[2]; !known[test] {
			t.Errorf("there is no %s", test)
		}
	}
}

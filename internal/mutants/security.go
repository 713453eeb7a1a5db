package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// row is a rule of SECURITY.md and the tests that it names: a row of a table, or a paragraph that
// begins with a bold word.
type row struct {
	rule  string
	tests []string // each as "package.TestName"
}

var testName = regexp.MustCompile("`([a-z0-9]+\\.(?:Test|Fuzz|Benchmark)[A-Za-z0-9]+)`")

// testsIn returns the tests that a text of SECURITY.md names.
func testsIn(text string) (tests []string) {
	for _, m := range testName.FindAllStringSubmatch(text, -1) {
		tests = append(tests, m[1])
	}
	return tests
}

// rowsOf returns the rows of SECURITY.md that name tests.
func rowsOf(document string) (rows []row) {
	paragraph := false
	for line := range strings.Lines(document) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "|"):
			rule, _, _ := strings.Cut(strings.Trim(line, "| "), " | ")
			rows = append(rows, row{rule, testsIn(line)})
		case strings.HasPrefix(line, "**"):
			rows = append(rows, row{strings.TrimPrefix(line, "**"), testsIn(line)})
		case paragraph: // it goes on
			last := &rows[len(rows)-1]
			last.tests = append(last.tests, testsIn(line)...)
		}
		paragraph = line != "" && (strings.HasPrefix(line, "**") || paragraph)
	}
	return slices.DeleteFunc(rows, func(r row) bool { return len(r.tests) == 0 })
}

var testFunction = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Benchmark)[A-Za-z0-9]+)\(`)

// testsBelow returns the folders of all tests below root, by "package.TestName". The package is
// called like its folder; that of the root is amplify.
func testsBelow(root string) (map[string]string, error) {
	folders := map[string]string{}
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
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
		folder, err := filepath.Rel(root, filepath.Dir(file))
		if err != nil {
			return err
		}
		name := filepath.Base(folder)
		if name == "." {
			name = "amplify"
		}
		for _, f := range testFunction.FindAllStringSubmatch(string(source), -1) {
			folders[name+"."+f[1]] = "./" + filepath.ToSlash(folder)
		}
		return nil
	})
	return folders, err
}

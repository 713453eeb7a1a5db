package main

import (
	_ "embed" // for the mutants
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

//go:embed mutants.txt
var data string

// mutant is one small change of the source that takes a defence away.
type mutant struct {
	rows    []string // how the rows of SECURITY.md begin that it belongs to
	name    string
	file    string   // with slashes, from the root of the repository
	tests   []string // each as "package.TestName"; all of them must fail
	changes []change
}

// change replaces a text that occurs once in a file.
type change struct{ text, replacement string }

func (m *mutant) String() string { return m.rows[0] + ": " + m.name }

// skipped is a test that SECURITY.md names for a row and that no mutant has to make fail.
type skipped struct{ row, test, reason string }

// parse reads the form that the package comment describes.
func parse(data string) (mutants []*mutant, skips []skipped, err error) {
	var rows []string
	var m *mutant
	inRows, afterNew := false, false // the line before was a row; was one of "+"
	n := 0
	for line := range strings.Lines(data) {
		n++
		line = strings.TrimSuffix(line, "\n")
		fault := func(problem string) error { return fmt.Errorf("mutants.txt:%d: %s: %q", n, problem, line) }
		if strings.HasPrefix(line, "-") || strings.HasPrefix(line, "+") {
			if m == nil {
				return nil, nil, fault("there is no mutant yet")
			}
			added := line[0] == '+'
			if len(m.changes) == 0 && added {
				return nil, nil, fault("what does it take the place of?")
			}
			if !added && (len(m.changes) == 0 || afterNew) {
				m.changes = append(m.changes, change{})
			}
			c := &m.changes[len(m.changes)-1]
			switch {
			case added && afterNew:
				c.replacement += "\n" + line[1:]
			case added:
				c.replacement = line[1:]
			case c.text != "":
				c.text += "\n" + line[1:]
			default:
				c.text = line[1:]
			}
			afterNew = added
			continue
		}
		afterNew = false
		key, value, _ := strings.Cut(line, " ")
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
			continue
		case key == "row":
			if !inRows {
				rows = nil
			}
			rows = append(rows[:len(rows):len(rows)], value)
			m = nil
		case len(rows) == 0:
			return nil, nil, fault("there is no row yet")
		case key == "skip":
			test, reason, ok := strings.Cut(value, ": ")
			if !ok {
				return nil, nil, fault("there is no reason")
			}
			skips = append(skips, skipped{rows[len(rows)-1], test, reason})
		case key == "mutant":
			m = &mutant{rows: rows, name: value}
			mutants = append(mutants, m)
		case m == nil:
			return nil, nil, fault("there is no mutant yet")
		case key == "file":
			m.file = value
		case key == "dies":
			m.tests = strings.Split(value, ", ")
		default:
			return nil, nil, fault("what is this?")
		}
		inRows = key == "row"
	}
	return mutants, skips, nil
}

// mutated returns the file of m in root as m changes it.
func (m *mutant) mutated(root string) (string, error) {
	b, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(m.file)))
	if err != nil {
		return "", err
	}
	source := string(b)
	if len(m.changes) == 0 {
		return "", fmt.Errorf("it changes nothing")
	}
	for _, c := range m.changes {
		switch n := strings.Count(source, c.text); {
		case n != 1:
			return "", fmt.Errorf("%s has this text %d times:\n%s", m.file, n, c.text)
		case c.text == c.replacement:
			return "", fmt.Errorf("it changes nothing")
		}
		source = strings.Replace(source, c.text, c.replacement, 1)
	}
	return source, nil
}

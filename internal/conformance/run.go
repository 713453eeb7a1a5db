package conformance

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// Case is one recorded case.
type Case struct {
	ID       string          `json:"id"`
	Describe string          `json:"describe"`
	Input    json.RawMessage `json:"input"`
	Expected json.RawMessage `json:"expected"`
}

// In returns the value at the given path of member names in Input, as encoding/json decodes it into
// an any; nil if there is none. It is for the predicates of rules.
func (c Case) In(path ...string) any { return at(c.Input, path) }

// Want is In for Expected.
func (c Case) Want(path ...string) any { return at(c.Expected, path) }

func at(raw json.RawMessage, path []string) any {
	var v any
	if json.Unmarshal(raw, &v) != nil {
		return nil
	}
	for _, name := range path {
		m, _ := v.(map[string]any)
		v = m[name]
	}
	return v
}

// Rule says for which cases we differ from the recording on purpose, and why.
type Rule struct {
	Name   string
	Reason string
	// Match reports whether the rule takes the case. It looks at the form of the case (what is asked and
	// recorded), not at its id.
	Match func(Case) bool
}

// Dir returns the folder of the recorded cases: AMPLIFY_CONFORMANCE_DIR if that is set, else testdata/conformance
// of this module.
func Dir(t testing.TB) string {
	t.Helper()
	if dir := os.Getenv(dirVariable); dir != "" {
		return dir
	}
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		recorded := filepath.Join(dir, "testdata", "conformance")
		if info, err := os.Stat(recorded); err == nil && info.IsDir() {
			return recorded
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			t.Fatal("conformance: no testdata/conformance in this folder or above it")
		}
		dir = parent
	}
}

const dirVariable = "AMPLIFY_CONFORMANCE_DIR"

// Load returns the cases of file. A missing, unreadable or empty file fails the test: one that quietly
// tests nothing is worse than none.
func Load(t testing.TB, file string) []Case {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(Dir(t), file))
	if err != nil {
		t.Fatalf("conformance: %v", err)
	}
	var cases []Case
	if err := json.Unmarshal(b, &cases); err != nil {
		t.Fatalf("conformance: %s: %v", file, err)
	}
	if len(cases) == 0 {
		t.Fatalf("conformance: %s holds no cases", file)
	}
	return cases
}

// Run judges every case of file by f, which returns nil if we do as recorded and else what differs. At the end
// it prints one line, "<file> run=N passed=N excepted=N failed=N", and how many cases each rule took.
//
// f must report differences by its result, not by t: what t.Error reports no rule excepts.
func Run(t *testing.T, file string, rules []Rule, f func(*testing.T, Case) error) {
	t.Helper()
	foreign := os.Getenv(dirVariable) != ""
	var ran, passed, excepted, failed int
	took := make([]int, len(rules))
	cases := Load(t, file)
	for _, c := range cases {
		rule := matching(rules, c)
		ok := t.Run(c.ID, func(t *testing.T) {
			ran++
			err := f(t, c)
			switch {
			case t.Failed():
			case err == nil && rule >= 0 && !foreign:
				t.Errorf("%s: passes, and yet the rule %q excepts it: narrow the rule", c.Describe, rules[rule].Name)
			case err == nil:
				passed++
			case rule >= 0:
				took[rule]++
				excepted++
			default:
				t.Errorf("%s: %v", c.Describe, err)
			}
		})
		if !ok {
			failed++
		}
	}
	for i, r := range rules {
		fmt.Printf("  %s rule %q took %d: %s\n", file, r.Name, took[i], r.Reason)
		// With -run some cases are left out, and a rule may take those.
		if took[i] == 0 && ran == len(cases) && failed == 0 && !foreign {
			t.Errorf("conformance: %s: the rule %q takes no case: delete it", file, r.Name)
		}
	}
	fmt.Printf("%s run=%d passed=%d excepted=%d failed=%d\n", file, ran, passed, excepted, failed)
}

// matching returns the index of the first rule that takes c, or -1.
func matching(rules []Rule, c Case) int {
	for i, r := range rules {
		if r.Match(c) {
			return i
		}
	}
	return -1
}

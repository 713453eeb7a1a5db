package conformance

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
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

// Expect returns c with value in Expected at the given path of member names, in place of what is
// there. Members that the path names and that are missing are made. It is for [Rule.Instead].
func (c Case) Expect(value any, path ...string) Case { return c.edit(path, &value) }

// ExpectNo returns c without what stands in Expected at the given path.
func (c Case) ExpectNo(path ...string) Case { return c.edit(path, nil) }

func (c Case) edit(path []string, value *any) Case {
	var all any
	if err := json.Unmarshal(c.Expected, &all); err != nil {
		panic(fmt.Sprintf("conformance: %s: %v", c.ID, err))
	}
	root, _ := all.(map[string]any)
	if root == nil {
		root = map[string]any{}
	}
	m := root
	for _, name := range path[:len(path)-1] {
		next, _ := m[name].(map[string]any)
		if next == nil {
			next = map[string]any{}
			m[name] = next
		}
		m = next
	}
	if last := path[len(path)-1]; value == nil {
		delete(m, last)
	} else {
		m[last] = *value
	}
	edited, err := json.Marshal(root)
	if err != nil {
		panic(fmt.Sprintf("conformance: %s: %v", c.ID, err))
	}
	c.Expected = edited
	return c
}

// Rule says for which cases we differ from the recording on purpose, why, and what we answer
// instead.
type Rule struct {
	Name   string
	Reason string
	// Match reports whether the rule takes the case. It looks at the form of the case (what is
	// asked and recorded), not at its id.
	Match func(Case) bool
	// Instead returns the case with what we answer in Expected, in the form of the recording. It is
	// compared like a recording.
	Instead func(Case) Case
}

// instead returns what Instead makes of c. A case of a form that Instead does not know may make it
// panic: that is a failure of this case alone.
func (r Rule) instead(c Case) (_ Case, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("Instead panics: %v", p)
		}
	}()
	return r.Instead(c), nil
}

// withoutInstead returns the names of the rules of which nothing is checked.
func withoutInstead(rules []Rule) (names []string) {
	for _, r := range rules {
		if r.Instead == nil {
			names = append(names, r.Name)
		}
	}
	return names
}

// Dir returns the folder of the recorded cases: AMPLIFY_CONFORMANCE_DIR if that is set, else
// testdata/conformance. A relative path is looked for in the folder of the test and those above it.
func Dir(t testing.TB) string {
	t.Helper()
	name := os.Getenv(dirVariable)
	if name == "" {
		name = filepath.Join("testdata", "conformance")
	}
	if filepath.IsAbs(name) {
		return name
	}
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		cases := filepath.Join(dir, name)
		if info, err := os.Stat(cases); err == nil && info.IsDir() {
			return cases
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			t.Fatalf("conformance: no folder %s here or above", name)
		}
		dir = parent
	}
}

const dirVariable = "AMPLIFY_CONFORMANCE_DIR"

// Decode decodes raw into v, and fails if there is a member that v does not have: what is recorded
// should be compared, or left out knowingly.
func Decode(raw []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	return d.Decode(v)
}

// Load returns the cases of file. A missing, unreadable or empty file fails the test: one that
// quietly tests nothing is worse than none.
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

// Run judges every case of file by f, which returns nil if we do as recorded and else what differs.
// At the end it prints one line, "<file> run=N passed=N excepted=N failed=N", and how many cases
// each rule took.
//
// f must report differences by its result, not by t: what t.Error reports no rule excepts.
//
// With AMPLIFY_CONFORMANCE_MUTATE=N it also changes what each case expects, N times in one place,
// and tells which changes f does not notice.
func Run(t *testing.T, file string, rules []Rule, f func(*testing.T, Case) error) {
	t.Helper()
	if unasserted := withoutInstead(rules); len(unasserted) > 0 {
		t.Fatalf("conformance: %s: rules that do not say what we answer instead: %q", file, unasserted)
	}
	mutants := newMutants(t, file)
	foreign := os.Getenv(dirVariable) != ""
	cases := Load(t, file)
	count := map[verdict]int{}
	took := make([]int, len(rules))
	for _, c := range cases {
		t.Run(c.ID, func(t *testing.T) {
			v := failed
			rule := slices.IndexFunc(rules, func(r Rule) bool { return r.Match(c) })
			defer func() { // also after t.Fatal
				if t.Failed() {
					v = failed
				}
				if count[v]++; v == excepted {
					took[rule]++
				}
			}()
			difference := f(t, c)
			var instead error
			right := c
			if difference != nil && rule >= 0 {
				if right, instead = rules[rule].instead(c); instead == nil {
					instead = f(t, right)
				}
				if instead != nil {
					instead = fmt.Errorf("the rule %q says that we answer something else than we do: %w", rules[rule].Name, instead)
				}
			}
			var problem error
			if v, problem = judge(difference, rule >= 0, instead, foreign); problem != nil {
				t.Errorf("%s: %v", c.Describe, problem)
				return
			}
			mutants.try(t, right, f)
		})
	}
	ran := count[passed] + count[excepted] + count[failed]
	for i, r := range rules {
		fmt.Printf("  %s rule %q took %d: %s\n", file, r.Name, took[i], r.Reason)
		// With -run some cases are left out, and a rule may take those. A case that failed may be
		// one, too.
		if took[i] == 0 && ran == len(cases) && count[failed] == 0 && !foreign {
			t.Errorf("conformance: %s: the rule %q takes no case: delete it", file, r.Name)
		}
	}
	mutants.print()
	fmt.Printf("%s run=%d passed=%d excepted=%d failed=%d\n", file, ran, count[passed], count[excepted], count[failed])
}

// verdict is what becomes of a case.
type verdict int

const (
	failed verdict = iota
	passed
	excepted
)

// judge tells what becomes of a case that differs from the recording by difference, if that is not
// nil, and for which there is a rule or not. instead is how we differ from what the rule says. A
// problem is what the test reports.
func judge(difference error, rule bool, instead error, foreign bool) (v verdict, problem error) {
	switch {
	case difference == nil && rule && !foreign:
		return failed, errors.New("passes, and yet a rule excepts it: narrow the rule")
	case difference == nil:
		return passed, nil
	case rule && instead != nil:
		return failed, instead
	case rule:
		return excepted, nil
	}
	return failed, difference
}

package main

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const root = "../.."

// TestMutants: each text that a mutant changes occurs once in its file, and each test that
// SECURITY.md names for a row exists and has a mutant that it must notice.
func TestMutants(t *testing.T) {
	mutants, skips, err := parse(data)
	if err != nil {
		t.Fatal(err)
	}
	document, err := os.ReadFile(root + "/SECURITY.md")
	if err != nil {
		t.Fatal(err)
	}
	folders, err := testsBelow(root)
	if err != nil {
		t.Fatal(err)
	}
	rows := rowsOf(string(document))
	if len(rows) < 50 || len(mutants) < len(rows) {
		t.Fatalf("%d rows, %d mutants", len(rows), len(mutants))
	}
	for _, test := range testsIn(string(document)) {
		if folders[test] == "" {
			t.Errorf("SECURITY.md: there is no %s", test)
		}
	}

	type pair struct{ rule, test string }
	noticed := map[pair]bool{}
	add := func(beginning string, tests ...string) {
		found := slices.DeleteFunc(slices.Clone(rows), func(r row) bool { return !strings.HasPrefix(r.rule, beginning) })
		if len(found) != 1 {
			t.Errorf("%d rows begin with %q", len(found), beginning)
			return
		}
		for _, test := range tests {
			noticed[pair{found[0].rule, test}] = true
		}
	}
	names := map[string]bool{}
	for _, m := range mutants {
		if names[m.String()] {
			t.Errorf("%s: there are two", m)
		}
		names[m.String()] = true
		if _, err := m.mutated(root); err != nil {
			t.Errorf("%s: %v", m, err)
		}
		if len(m.tests) == 0 {
			t.Errorf("%s: no test is to notice", m)
		}
		for _, test := range m.tests {
			if folders[test] == "" || strings.Contains(test, ".Benchmark") {
				t.Errorf("%s: there is no test %s", m, test)
			}
		}
		for _, r := range m.rows {
			add(r, m.tests...)
		}
	}
	for _, s := range skips {
		add(s.row, s.test)
	}
	for _, r := range rows {
		for _, test := range r.tests {
			if !noticed[pair{r.rule, test}] {
				t.Errorf("%s: no mutant that %s must notice", r.rule, test)
			}
		}
	}
}

func TestParse(t *testing.T) {
	mutants, skips, err := parse("# c\nrow a\nrow b\nskip p.BenchmarkX: slow\n\nmutant m\nfile x.go\ndies p.TestA, q.TestB\n-1\n-\n-2\n+3\n+4\n-5\n\nrow c\nmutant n\nfile y.go\ndies p.TestC\n-6\n+7\n")
	if err != nil {
		t.Fatal(err)
	}
	want := []*mutant{
		{[]string{"a", "b"}, "m", "x.go", []string{"p.TestA", "q.TestB"}, []change{{"1\n\n2", "3\n4"}, {"5", ""}}},
		{[]string{"c"}, "n", "y.go", []string{"p.TestC"}, []change{{"6", "7"}}},
	}
	if d := cmp.Diff(want, mutants, cmp.AllowUnexported(mutant{}, change{})); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	if d := cmp.Diff([]skipped{{"b", "p.BenchmarkX", "slow"}}, skips, cmp.AllowUnexported(skipped{})); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	for _, bad := range []string{"mutant m", "row a\n-x", "row a\nfile x", "row a\nmutant m\n+x", "row a\nmutant m\nwhat x", "row a\nskip p.TestX"} {
		if _, _, err := parse(bad); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
}

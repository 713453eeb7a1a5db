package conformance

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
)

const (
	mutateVariable = "AMPLIFY_CONFORMANCE_MUTATE"
	seedVariable   = "AMPLIFY_CONFORMANCE_SEED"
)

// mutants counts the changed expectations of one file, and those that were noticed.
type mutants struct {
	file         string
	each         int // how many a case
	seed         uint64
	made, killed int
}

// newMutants reads how many mutants to make of each case: none unless the variable is set.
func newMutants(t testing.TB, file string) *mutants {
	t.Helper()
	m := &mutants{file: file}
	number := func(variable string) uint64 {
		text := os.Getenv(variable)
		if text == "" {
			return 0
		}
		n, err := strconv.ParseUint(text, 10, 31)
		if err != nil {
			t.Fatalf("conformance: %s: %v", variable, err)
		}
		return n
	}
	m.each, m.seed = int(number(mutateVariable)), number(seedVariable)
	return m
}

// try changes what c expects, which f has found to be right, and counts how often f finds it wrong.
func (m *mutants) try(t *testing.T, c Case, f func(*testing.T, Case) error) {
	for i := range m.each {
		hash := fnv.New64a()
		_, _ = fmt.Fprintf(hash, "%s %s %d", m.file, c.ID, i)
		mutant, change := mutate(c, rand.New(rand.NewPCG(m.seed, hash.Sum64())))
		if change == "" {
			continue
		}
		m.made++
		if notices(t, mutant, f) {
			m.killed++
		} else {
			fmt.Printf("  %s mutant survived: %s: %s\n", m.file, c.ID, change)
		}
	}
}

// notices reports whether f fails or panics.
func notices(t *testing.T, c Case, f func(*testing.T, Case) error) (yes bool) {
	defer func() {
		if recover() != nil {
			yes = true
		}
	}()
	return f(t, c) != nil
}

func (m *mutants) print() {
	if m.made > 0 {
		fmt.Printf("%s mutants=%d killed=%d (%.1f%%)\n", m.file, m.made, m.killed, 100*float64(m.killed)/float64(m.made))
	}
}

// mutate returns c with one change in Expected that random chooses, and tells which. There is none
// to make if Expected is no JSON.
func mutate(c Case, random *rand.Rand) (mutant Case, change string) {
	var v any
	if json.Unmarshal(c.Expected, &v) != nil {
		return c, ""
	}
	var sites []site
	collect(v, "expected", func(changed any) { v = changed }, &sites)
	s := sites[random.IntN(len(sites))]
	change = s.path + ": " + s.change(random)
	expected, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("conformance: %s: %v", c.ID, err))
	}
	c.Expected = expected
	return c, change
}

// site is one change that can be made.
type site struct {
	path   string
	change func(*rand.Rand) (description string)
}

// collect appends the changes that can be made in v, which set replaces.
func collect(v any, path string, set func(any), sites *[]site) {
	add := func(change func(*rand.Rand) string) { *sites = append(*sites, site{path, change}) }
	replace := func(changed any) string {
		set(changed)
		return fmt.Sprintf("%#v became %#v", v, changed)
	}
	switch v := v.(type) {
	case string:
		add(func(r *rand.Rand) string { return replace(otherText(v, r)) })
	case float64:
		add(func(*rand.Rand) string { return replace(v + 1) })
	case bool:
		add(func(*rand.Rand) string { return replace(!v) })
	case nil:
		add(func(*rand.Rand) string { return replace("mutant") })
	case []any:
		add(func(*rand.Rand) string {
			var more any = "mutant"
			if len(v) > 0 {
				more = v[len(v)-1]
				if text, ok := more.(string); ok {
					more = "mutant" + text
				}
			}
			set(append(slices.Clone(v), more))
			return "an element was added"
		})
		for i, element := range v {
			at := fmt.Sprintf("%s[%d]", path, i)
			*sites = append(*sites, site{at, func(*rand.Rand) string {
				set(slices.Delete(slices.Clone(v), i, i+1))
				return fmt.Sprintf("%v was removed", element)
			}})
			collect(element, at, func(changed any) { v[i] = changed }, sites)
		}
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			at := path + "." + name
			*sites = append(*sites, site{at, func(*rand.Rand) string {
				delete(v, name)
				return "was removed"
			}})
			collect(v[name], at, func(changed any) { v[name] = changed }, sites)
		}
	}
}

// otherText returns s with one letter more, or another one.
func otherText(s string, random *rand.Rand) string {
	letters := []rune(s)
	i := random.IntN(len(letters) + 1)
	if i == len(letters) {
		return s + "x"
	}
	if letters[i] == 'x' {
		letters[i] = 'y'
	} else {
		letters[i] = 'x'
	}
	return string(letters)
}

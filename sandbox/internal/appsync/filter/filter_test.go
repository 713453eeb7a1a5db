package filter_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/amplify-go/amplify/sandbox/internal/appsync/filter"
	"github.com/amplify-go/amplify/sandbox/internal/appsync/scalars"
)

// object reads an item or a filter.
func object(t *testing.T, text string) map[string]any {
	t.Helper()
	v, err := scalars.ParseJSON(text)
	if err != nil {
		t.Fatal(err)
	}
	o, _ := v.(map[string]any)
	return o
}

func TestMatch(t *testing.T) {
	item := object(t, `{"s": "été", "n": 5, "f": 5.5, "b": true, "null": null,
		"list": ["a", 1], "map": {"x": 1}, "empty": "", "big": 9007199254740993}`)
	for input, want := range map[string]bool{
		`{}`:                                                      true,
		`{"s": {}}`:                                               true,
		`{"s": {"eq": "été"}}`:                                    true,
		`{"s": {"eq": "ete"}}`:                                    false,
		`{"n": {"eq": "5"}}`:                                      false,
		`{"n": {"eq": 5.0}}`:                                      true,
		`{"f": {"gt": 5}}`:                                        true,
		`{"f": {"lt": 6, "gt": 5.4}}`:                             true,
		`{"f": {"lt": 6, "gt": 5.5}}`:                             false,
		`{"big": {"eq": 9007199254740992}}`:                       false,
		`{"big": {"gt": 9007199254740992}}`:                       true,
		`{"b": {"eq": true}}`:                                     true,
		`{"b": {"lt": true}}`:                                     false,
		`{"null": {"eq": null}}`:                                  true,
		`{"missing": {"eq": null}}`:                               false,
		`{"missing": {"ne": null}}`:                               true,
		`{"missing": {"ne": 1}}`:                                  true,
		`{"null": {"attributeExists": true}}`:                     true,
		`{"missing": {"attributeExists": false}}`:                 true,
		`{"null": {"attributeType": "_null"}}`:                    true,
		`{"list": {"attributeType": "list"}}`:                     true,
		`{"missing": {"attributeType": "_null"}}`:                 false,
		`{"s": {"size": {"eq": 3}}}`:                              true,
		`{"map": {"size": {"between": [1, 1]}}}`:                  true,
		`{"n": {"size": {"ge": 0}}}`:                              false,
		`{"s": {"contains": "t"}}`:                                true,
		`{"list": {"contains": 1}}`:                               true,
		`{"list": {"contains": "1"}}`:                             false,
		`{"n": {"notContains": 5}}`:                               true,
		`{"missing": {"notContains": "a"}}`:                       true,
		`{"s": {"beginsWith": "é"}}`:                              true,
		`{"n": {"beginsWith": "5"}}`:                              false,
		`{"n": {"between": [5, 5]}}`:                              true,
		`{"s": {"between": [1, 9]}}`:                              false,
		`{"n": {"in": [4, 5]}}`:                                   true,
		`{"missing": {"in": [null]}}`:                             false,
		`{"map": {"eq": {"x": 1}}}`:                               true,
		`{"or": [{"n": {"eq": 1}}, {"b": {"eq": true}}]}`:         true,
		`{"or": []}`:                                              true,
		`{"or": {"n": {"eq": 5}}}`:                                true,
		`{"and": [{"n": {"eq": 5}}, {"b": {"eq": false}}]}`:       false,
		`{"not": {"n": {"eq": 5}}}`:                               false,
		`{"not": null}`:                                           true,
		`{"n": {"eq": 5}, "not": {"or": [{"b": {"eq": false}}]}}`: true,
	} {
		matches, err := filter.Parse(object(t, input))
		if err != nil {
			t.Errorf("%s: %v", input, err)
		} else if got := matches(item); got != want {
			t.Errorf("%s: %v", input, got)
		}
	}
}

func TestFaults(t *testing.T) {
	var between *filter.BetweenError
	for _, input := range []string{`{"n": {"between": [2, 1]}}`,
		`{"n": {"size": {"between": ["b", "a"]}}}`,
		`{"not": {"or": [{"n": {"between": [2, 1]}}]}}`} {
		if _, err := filter.Parse(object(t, input)); !errors.As(err, &between) {
			t.Errorf("%s: %v", input, err)
		}
	}
	for _, input := range []string{`{"not": {}}`, `{"and": [{}]}`,
		`{"or": [{"n": {"eq": 1}}, {}]}`} {
		if _, err := filter.Parse(object(t, input)); !errors.Is(err, filter.ErrUnrecognized) {
			t.Errorf("%s: %v", input, err)
		}
	}
	if _, err := filter.Parse(object(t, `{"n": {"like": 1}}`)); err == nil {
		t.Error("an unknown operator")
	}
}

// TestInputsAreBounded: a filter of a caller has a bounded size, wherever it is large.
func TestInputsAreBounded(t *testing.T) {
	some := func(n int, part string) map[string]any {
		return object(t, `{"or": [`+strings.Repeat(part+",", n)+part+`]}`)
	}
	deep := strings.Repeat(`{"not": `, 1001) + `{"n": {"eq": 1}}` + strings.Repeat("}", 1001)
	for name, input := range map[string]map[string]any{
		"conditions":       some(400, `{"n": {"eq": 1}}`),
		"empty conditions": some(1000, `{"n": {}}`),
		"nesting":          object(t, deep),
		"values":           object(t, `{"n": {"in": [1`+strings.Repeat(",1", 1000)+`]}}`),
	} {
		if _, err := filter.ParseInput(input); !errors.Is(err, filter.ErrTooLarge) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := filter.ParseInput(some(300, `{"n": {"eq": 1}}`)); err != nil {
		t.Error(err)
	}
}

// FuzzFilter: no filter makes Parse or a match panic, and a filter and its negation never agree.
func FuzzFilter(f *testing.F) {
	f.Add(`{"a": {"between": [1, 2]}, "or": [{"b": {"size": {"gt": 1}}}]}`, `{"a": 1, "b": "xx"}`)
	f.Add(`{"not": {"a": {"in": [null, {}]}}}`, `{"a": null}`)
	f.Fuzz(func(t *testing.T, input, item string) {
		var i, v map[string]any
		if json.Unmarshal([]byte(input), &i) != nil || json.Unmarshal([]byte(item), &v) != nil {
			return
		}
		matches, err := filter.Parse(i)
		if err != nil || len(i) == 0 {
			return
		}
		negated, err := filter.Parse(map[string]any{"not": i})
		if err != nil {
			t.Fatal(err)
		}
		if matches(v) == negated(v) {
			t.Errorf("%s and its negation say the same of %s", input, item)
		}
	})
}

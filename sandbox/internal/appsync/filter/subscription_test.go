package filter_test

import (
	"errors"
	"testing"

	"github.com/amplify-go/amplify/sandbox/internal/appsync/filter"
)

func TestSubscription(t *testing.T) {
	item := object(t, `{"s": "a", "n": 5, "null": null, "list": ["a", "b"]}`)
	for input, want := range map[string]bool{
		`{}`:                                                   true,
		`{"s": {"eq": "a"}}`:                                   true,
		`{"s": {"ne": "a"}}`:                                   false,
		`{"s": {"in": ["a", "b"]}}`:                            true,
		`{"s": {"notIn": ["a", "b"]}}`:                         false,
		`{"s": {"notIn": ["b"]}}`:                              true,
		`{"list": {"containsAny": ["x", "b"]}}`:                true,
		`{"list": {"containsAny": ["x"]}}`:                     false,
		`{"list": {"containsAny": []}}`:                        false,
		`{"null": {"ne": "a"}}`:                                true,
		`{"missing": {"eq": "a"}}`:                             false,
		`{"missing": {"ne": "a"}}`:                             false,
		`{"missing": {"notIn": ["a"]}}`:                        false,
		`{"missing": {"notContains": "a"}}`:                    false,
		`{"missing": {"containsAny": ["a"]}}`:                  false,
		`{"or": [{"missing": {"ne": "a"}}, {"n": {"ge": 5}}]}`: true,
		`{"or": {"missing": {"ne": "a"}}}`:                     false,
		`{"and": [{"or": [{"s": {"eq": "b"}}]}, {"n": {"between": [1, 9]}}]}`: false,
	} {
		matches, err := filter.ParseSubscription(object(t, input))
		if err != nil {
			t.Errorf("%s: %v", input, err)
		} else if got := matches(item); got != want {
			t.Errorf("%s: %v", input, got)
		}
	}
}

func TestSubscriptionLimits(t *testing.T) {
	for input, want := range map[string]string{
		`{"a": {"in": [1, 2, 3, 4, 5]}}`: "",
		`{"a": {"in": [1, 2, 3, 4, 5, 6]}}`: "subscription exceeds maximum value limit 5 " +
			"for operator `in`.",
		`{"or": [{"a": {"notIn": [1, 2, 3, 4, 5, 6]}}]}`: "subscription exceeds maximum value " +
			"limit 5 for operator `notIn`.",
		`{"a": {"containsAny": [1, 2, 3, 4, 5, 6]}}`: "",
		`{"a": {"containsAny": [1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]}}`: "" +
			"subscription exceeds maximum value limit 20 for operator `containsAny`.",
		`{"a": {}, "b": {}, "c": {}, "or": [{"d": {"eq": 1}, "e": {}}, {"a": {"eq": 2}}]}`: "",
		`{"a": {}, "b": {}, "c": {}, "or": [{"d": {"eq": 1}, "e": {}}, {"f": {"eq": 2}}]}`: "Filters " +
			"exceed maximum attributes limit 5 for subscription",
	} {
		_, err := filter.ParseSubscription(object(t, input))
		got := ""
		var limit *filter.LimitError
		if errors.As(err, &limit) {
			got = limit.Message
		}
		if got != want || got == "" && err != nil {
			t.Errorf("%s: %v", input, err)
		}
	}
	if _, err := filter.ParseSubscription(object(t, `{"or": [{}]}`)); !errors.Is(err, filter.ErrUnrecognized) {
		t.Errorf("an empty part: %v", err)
	}
}

package filter

import (
	"fmt"
	"maps"
	"slices"
)

// What a filter of a subscription may have (AppSync Developer Guide, "Defining enhanced
// subscriptions filters").
const (
	maxAttributes  = 5
	maxIn          = 5 // values of in, and of notIn
	maxContainsAny = 20
)

// LimitError is the error of a filter of a subscription that is larger than AppSync takes.
type LimitError struct {
	// Message has AppSync's words.
	Message string
}

func (e *LimitError) Error() string { return "filter: " + e.Message }

// ParseSubscription reads the filter of a subscription: that of the caller together with what the
// rules add. It differs from [Parse] in what it makes of an attribute that an item lacks because the
// mutation did not select it: no condition matches, not even that it is not equal to something.
func ParseSubscription(input map[string]any) (Filter, error) {
	attributes := map[string]bool{}
	known, err := present(input, attributes)
	if err != nil {
		return nil, err
	}
	if len(attributes) > maxAttributes {
		return nil, &LimitError{fmt.Sprintf(
			"Filters exceed maximum attributes limit %d for subscription", maxAttributes)}
	}
	return Parse(known)
}

// present returns the filter with the further condition on each attribute that there is one, and
// collects the names of the attributes.
func present(input map[string]any, attributes map[string]bool) (map[string]any, error) {
	out := map[string]any{}
	for name, value := range input {
		if name == "and" || name == "or" {
			list, isList := value.([]any)
			if !isList {
				list = []any{value}
			}
			parts := make([]any, len(list))
			for i, v := range list {
				part, isFilter := v.(map[string]any)
				if !isFilter {
					continue
				}
				var err error
				if parts[i], err = present(part, attributes); err != nil {
					return nil, err
				}
			}
			out[name] = parts
			continue
		}
		operators, _ := value.(map[string]any)
		if err := checkValues(operators); err != nil {
			return nil, err
		}
		attributes[name] = true
		operators = maps.Clone(operators)
		if len(operators) > 0 {
			operators["attributeExists"] = true
		}
		out[name] = operators
	}
	return out, nil
}

// checkValues checks how many values the operators have.
func checkValues(operators map[string]any) error {
	for _, operator := range slices.Sorted(maps.Keys(operators)) {
		limit := maxIn
		switch operator {
		case "in", "notIn":
		case "containsAny":
			limit = maxContainsAny
		default:
			continue
		}
		if values, _ := operators[operator].([]any); len(values) > limit {
			return &LimitError{fmt.Sprintf(
				"subscription exceeds maximum value limit %d for operator `%s`.", limit, operator)}
		}
	}
	return nil
}

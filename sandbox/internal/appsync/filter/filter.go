// Package filter tells whether items match filters and conditions as AppSync takes them. It does
// what AppSync's $util.transform.toDynamoDBFilterExpression and DynamoDB do together (Amazon
// DynamoDB Developer Guide, "Condition and filter expressions, operators, and functions").
//
// Values of items and operands are nil, bool, string, int64, float64, []any or map[string]any.
// Values of two types are never equal, and neither is less than the other. A missing attribute
// differs from nil.
package filter

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"
)

// ErrUnrecognized is the error of a filter that has no condition where one is due.
var ErrUnrecognized = errors.New("filter: there is no condition in a part of the filter")

// BetweenError is the error of a between whose lower bound is greater than its upper bound.
type BetweenError struct{ Low, High any }

func (e *BetweenError) Error() string {
	return fmt.Sprintf("filter: between %v and %v is nothing", e.Low, e.High)
}

// maxMembers is how many members a caller's filter may have, at any depth. Nobody meets it with
// AppSync: DynamoDB takes 4 KB of the expression that becomes of a filter (Amazon DynamoDB
// Developer Guide, "Quotas").
const maxMembers = 1000

// ErrTooLarge is the error of a filter with too many members.
var ErrTooLarge = errors.New("filter: the filter is too large")

// ParseInput reads what a caller has sent as a filter input or a condition input.
func ParseInput(value any) (Filter, error) {
	input, _ := value.(map[string]any)
	if count(input) > maxMembers {
		return nil, ErrTooLarge
	}
	return Parse(input)
}

// count returns how many members a value has, at any depth.
func count(value any) (n int) {
	switch v := value.(type) {
	case []any:
		n = len(v)
		for _, member := range v {
			n += count(member)
		}
	case map[string]any:
		n = len(v)
		for _, member := range v {
			n += count(member)
		}
	}
	return n
}

// Filter tells whether an item matches.
type Filter func(item map[string]any) bool

// Parse reads a filter of the API's own. Nil and an empty one match all items.
func Parse(input map[string]any) (Filter, error) {
	var all []Filter
	for _, name := range slices.Sorted(maps.Keys(input)) {
		f, err := parseMember(name, input[name])
		if err != nil {
			return nil, err
		}
		if f != nil {
			all = append(all, f)
		}
	}
	return and(all), nil
}

// and matches what all filters match.
func and(all []Filter) Filter {
	return func(item map[string]any) bool {
		return !slices.ContainsFunc(all, func(f Filter) bool { return !f(item) })
	}
}

func parseMember(name string, value any) (Filter, error) {
	switch name {
	case "and", "or":
		parts, err := parseParts(value)
		if err != nil || len(parts) == 0 {
			return nil, err
		}
		if name == "and" {
			return and(parts), nil
		}
		return func(item map[string]any) bool {
			return slices.ContainsFunc(parts, func(f Filter) bool { return f(item) })
		}, nil
	case "not":
		if value == nil {
			return nil, nil
		}
		f, err := parsePart(value)
		return func(item map[string]any) bool { return !f(item) }, err
	}
	operators, _ := value.(map[string]any)
	var all []Filter
	for _, operator := range slices.Sorted(maps.Keys(operators)) {
		f, err := parseOperator(operator, operators[operator])
		if err != nil {
			return nil, err
		}
		all = append(all, func(item map[string]any) bool {
			v, exists := item[name]
			return f(v, exists)
		})
	}
	return and(all), nil
}

// parseParts reads the members of and and or. One object stands for a list of one.
func parseParts(value any) (parts []Filter, err error) {
	list, ok := value.([]any)
	if !ok && value != nil {
		list = []any{value}
	}
	for _, v := range list {
		if v == nil {
			continue
		}
		part, err := parsePart(v)
		if err != nil {
			return nil, err
		}
		parts = append(parts, part)
	}
	return parts, nil
}

func parsePart(value any) (Filter, error) {
	input, _ := value.(map[string]any)
	if len(input) == 0 {
		return nil, ErrUnrecognized
	}
	return Parse(input)
}

// test tells whether an attribute matches.
type test func(value any, exists bool) bool

func parseOperator(operator string, operand any) (test, error) {
	switch operator {
	case "eq":
		return func(v any, exists bool) bool { return exists && Equal(v, operand) }, nil
	case "ne":
		return func(v any, exists bool) bool { return !exists || !Equal(v, operand) }, nil
	case "lt", "le", "gt", "ge":
		return func(v any, _ bool) bool { return ordered(operator, v, operand) }, nil
	case "in": // this and the next two are of rules and subscriptions
		values, _ := operand.([]any)
		return func(v any, exists bool) bool { return exists && contains(values, v) }, nil
	case "notIn":
		values, _ := operand.([]any)
		return func(v any, exists bool) bool { return exists && !contains(values, v) }, nil
	case "containsAny":
		values, _ := operand.([]any)
		return func(v any, _ bool) bool {
			return slices.ContainsFunc(values, func(one any) bool { return contains(v, one) })
		}, nil
	case "between":
		bounds, _ := operand.([]any)
		if len(bounds) != 2 {
			return func(any, bool) bool { return false }, nil
		}
		low, high := bounds[0], bounds[1]
		if order, ok := Compare(low, high); ok && order > 0 {
			return nil, &BetweenError{low, high}
		}
		return func(v any, _ bool) bool {
			return ordered("ge", v, low) && ordered("le", v, high)
		}, nil
	case "contains":
		return func(v any, _ bool) bool { return contains(v, operand) }, nil
	case "notContains":
		return func(v any, _ bool) bool { return !contains(v, operand) }, nil
	case "beginsWith":
		return func(v any, _ bool) bool {
			text, isText := v.(string)
			prefix, _ := operand.(string)
			return isText && strings.HasPrefix(text, prefix)
		}, nil
	case "attributeExists":
		return func(_ any, exists bool) bool { return exists == (operand == true) }, nil
	case "attributeType":
		return func(v any, exists bool) bool { return exists && typeOf(v) == operand }, nil
	case "size":
		return parseSize(operand)
	}
	return nil, fmt.Errorf("filter: there is no operator %q", operator)
}

// parseSize reads the operators on the size of an attribute.
func parseSize(operand any) (test, error) {
	operators, _ := operand.(map[string]any)
	var all []test
	for _, operator := range slices.Sorted(maps.Keys(operators)) {
		t, err := parseOperator(operator, operators[operator])
		if err != nil {
			return nil, err
		}
		all = append(all, t)
	}
	return func(v any, _ bool) bool {
		n, ok := size(v)
		return ok && !slices.ContainsFunc(all, func(t test) bool { return !t(n, true) })
	}, nil
}

// size returns the length of a text, a list or a map. Other values have none.
func size(v any) (int64, bool) {
	switch v := v.(type) {
	case string:
		return int64(utf8.RuneCountInString(v)), true
	case []any:
		return int64(len(v)), true
	case map[string]any:
		return int64(len(v)), true
	}
	return 0, false
}

func contains(v, operand any) bool {
	switch v := v.(type) {
	case string:
		part, isText := operand.(string)
		return isText && strings.Contains(v, part)
	case []any:
		return slices.ContainsFunc(v, func(member any) bool { return Equal(member, operand) })
	}
	return false
}

func ordered(operator string, v, operand any) bool {
	order, ok := Compare(v, operand)
	if !ok {
		return false
	}
	switch operator {
	case "lt":
		return order < 0
	case "le":
		return order <= 0
	case "gt":
		return order > 0
	default:
		return order >= 0
	}
}

// Compare orders two numbers by value, and two texts by their bytes. Other values have no order.
func Compare(a, b any) (order int, ok bool) {
	switch a := a.(type) {
	case string:
		b, ok := b.(string)
		return strings.Compare(a, b), ok
	case int64:
		switch b := b.(type) {
		case int64:
			return cmp.Compare(a, b), true
		case float64:
			return cmp.Compare(float64(a), b), true
		}
	case float64:
		switch b := b.(type) {
		case int64:
			return cmp.Compare(a, float64(b)), true
		case float64:
			return cmp.Compare(a, b), true
		}
	}
	return 0, false
}

// Equal tells whether two values are the same.
func Equal(a, b any) bool {
	if order, ok := Compare(a, b); ok {
		return order == 0
	}
	return reflect.DeepEqual(a, b)
}

// typeOf returns the type of a value by its name in ModelAttributeTypes.
func typeOf(v any) string {
	switch v.(type) {
	case nil:
		return "_null"
	case bool:
		return "bool"
	case string:
		return "string"
	case []any:
		return "list"
	case map[string]any:
		return "map"
	default:
		return "number"
	}
}

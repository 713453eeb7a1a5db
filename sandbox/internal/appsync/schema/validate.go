package schema

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"

	"github.com/vektah/gqlparser/v2/ast"
)

// A check is one @validate of a field.
type check struct {
	field   string
	holds   func(value any) bool
	message string
}

// Check checks the values that a create or an update sets against @validate. It comes after the
// rules. Amplify checks in mutations with their default names only.
func (m *Model) Check(op *Operation, input map[string]any) error {
	if op.Name != string(op.Kind)+m.Name {
		return nil
	}
	for _, c := range m.checks {
		if value := input[c.field]; value != nil && !c.holds(value) {
			return &Error{Message: c.message}
		}
	}
	return nil
}

// validations tells people what a kind of @validate wants.
var validations = map[string]string{
	"gt": "be greater than", "lt": "be less than",
	"gte": "be greater than or equal to", "lte": "be less than or equal to",
	"minLength": "have a minimum length of", "maxLength": "have a maximum length of",
	"startsWith": "start with", "endsWith": "end with", "matches": "match",
}

// readChecks reads the @validate of a field of a model.
func (r *reader) readChecks(m *Model, f *ast.FieldDefinition) {
	list := f.Directives.ForNames("validate")
	for i, d := range list {
		kind, want := text(argument(d, "type")), text(argument(d, "value"))
		says, known := validations[kind]
		numeric := slices.Contains([]string{"gt", "lt", "gte", "lte"}, kind)
		of := f.Type.Name()
		switch {
		case !known:
			r.fault(d.Position, "@validate has the unknown type %q", kind)
			continue
		case f.Type.Elem != nil || numeric && of != "Int" && of != "Float" || !numeric && of != "String":
			r.fault(d.Position, "@validate(type: %s) does not suit %s.%s of the type %s",
				kind, m.Name, f.Name, f.Type)
			continue
		case slices.ContainsFunc(list[:i], func(o *ast.Directive) bool {
			return text(argument(o, "type")) == kind
		}):
			r.fault(d.Position, "@validate(type: %s) stands twice on %s.%s", kind, m.Name, f.Name)
		}
		c := check{field: f.Name, message: text(argument(d, "errorMessage"))}
		if c.message == "" {
			c.message = fmt.Sprintf("Field %s of type %s must %s %s", f.Name, m.Name, says, want)
		}
		var err error
		if c.holds, err = validation(kind, want); err != nil {
			r.fault(d.Position, "@validate(type: %s): the sandbox cannot check %q: %v", kind, want, err)
		}
		m.checks = append(m.checks, c)
	}
}

// validation returns what a value must fulfil.
func validation(kind, want string) (func(any) bool, error) {
	onText := func(holds func(string) bool) func(any) bool {
		return func(v any) bool {
			s, ok := v.(string)
			return ok && holds(s)
		}
	}
	switch kind {
	case "startsWith":
		return onText(func(s string) bool { return strings.HasPrefix(s, want) }), nil
	case "endsWith":
		return onText(func(s string) bool { return strings.HasSuffix(s, want) }), nil
	case "matches":
		// Java's expressions are not all Go's, and whether AppSync searches is not documented: what
		// matches as a whole is accepted either way.
		pattern, err := regexp.Compile(`^(?:` + want + `)$`)
		if err != nil {
			return nil, err
		}
		return onText(pattern.MatchString), nil
	case "minLength", "maxLength":
		limit, err := strconv.ParseUint(want, 10, 31)
		if err != nil {
			return nil, err
		}
		return onText(func(s string) bool {
			length := len(utf16.Encode([]rune(s))) // as Java counts
			return kind == "minLength" && length >= int(limit) || kind == "maxLength" && length <= int(limit)
		}), nil
	}
	limit, err := strconv.ParseFloat(want, 64)
	if err != nil {
		return nil, err
	}
	return func(v any) bool {
		n, ok := number(v)
		order := cmp.Compare(n, limit)
		return ok && map[string]bool{
			"gt": order > 0, "lt": order < 0, "gte": order >= 0, "lte": order <= 0,
		}[kind]
	}, nil
}

// number returns a number in one of the forms that values have.
func number(v any) (float64, bool) {
	switch v := v.(type) {
	case int64:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}

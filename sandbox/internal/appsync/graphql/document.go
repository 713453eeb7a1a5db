package graphql

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/rules"
)

const (
	// maxTokens is how many tokens a document may have. It bounds the work of validation.
	maxTokens = 15_000
	// maxErrors is how many faults of a document are told, as graphql-java does.
	maxErrors = 100
)

// ErrSyntax is the error of a document that cannot be parsed.
var ErrSyntax = errors.New("graphql: the document cannot be parsed")

// Request is what a caller asks for.
type Request struct {
	Document      string
	OperationName string
	Variables     map[string]any
}

// Operation is an operation that can be executed.
type Operation struct {
	schema    *ast.Schema
	document  *ast.QueryDocument
	operation *ast.OperationDefinition
	variables map[string]any
	arguments map[*ast.Field]map[string]any
	// spread are the fragments whose arguments are converted.
	spread map[*ast.FragmentDefinition]bool
}

// Kind returns whether it is a query, a mutation or a subscription.
func (o *Operation) Kind() ast.Operation { return o.operation.Operation }

// Prepare parses and validates a document, and converts variables and arguments to the values that
// their types keep. If that fails, it returns the response. The error is [ErrSyntax].
func Prepare(schema *ast.Schema, r Request) (*Operation, *Response, error) {
	if strings.TrimSpace(r.Document) == "" {
		return nil, nil, ErrSyntax
	}
	source := &ast.Source{Input: r.Document}
	document, err := parser.ParseQueryWithTokenLimit(source, maxTokens)
	if err != nil {
		// A document of definitions is one, but it has nothing to execute.
		if _, err := parser.ParseSchemaWithLimit(source, maxTokens); err == nil {
			return nil, noOperation("The document has no operation."), nil
		}
		return nil, nil, ErrSyntax
	}
	o := &Operation{schema: schema, document: document,
		arguments: map[*ast.Field]map[string]any{}, spread: map[*ast.FragmentDefinition]bool{}}
	switch named := operationsOf(document, r.OperationName); {
	case len(document.Operations) == 0:
		return nil, noOperation("The document has no operation."), nil
	case len(named) == 0:
		return nil, noOperation(fmt.Sprintf("Unknown operation named '%s'.", r.OperationName)), nil
	case len(named) > 1:
		return nil, noOperation(
			"Must provide operation name if query contains multiple operations."), nil
	default:
		o.operation = named[0]
	}
	if response := o.validate(); response != nil {
		return nil, response, nil
	}
	var e *Error
	if o.variables, e = o.coerceVariables(r.Variables); e != nil {
		return nil, refused(e), nil
	}
	if e = o.coerceArguments(o.operation.SelectionSet, nil); e != nil {
		return nil, refused(e), nil
	}
	return o, nil, nil
}

// validate returns the response to a document that breaks a rule, or nil. What the rule on merged
// fields costs grows with the square of their number, and so comes last, and only if it is bounded.
func (o *Operation) validate() *Response {
	first := rules.NewDefaultRules()
	first.RemoveRule(rules.OverlappingFieldsCanBeMergedRule.Name)
	errs := validator.ValidateWithRules(o.schema, o.document, first)
	if len(errs) == 0 {
		w := &weight{}
		for _, operation := range o.document.Operations {
			w.add([]ast.SelectionSet{operation.SelectionSet}, 1)
		}
		if w.exceeds() {
			return refused(&Error{Message: fmt.Sprintf("The document nests fields more than %d "+
				"deep, or has too many fields of one name: ask for less at once.", maxDepth)})
		}
		errs = validator.ValidateWithRules(o.schema, o.document,
			rules.NewRules(rules.OverlappingFieldsCanBeMergedRule))
	}
	if len(errs) == 0 {
		return nil
	}
	response := refused()
	for _, e := range errs[:min(len(errs), maxErrors)] {
		response.Errors = append(response.Errors, o.invalid(e))
	}
	return response
}

// operationsOf returns the operations of a name. Without a name all are meant.
func operationsOf(document *ast.QueryDocument, name string) (named []*ast.OperationDefinition) {
	for _, operation := range document.Operations {
		if name == "" || operation.Name == name {
			named = append(named, operation)
		}
	}
	return named
}

func noOperation(message string) *Response {
	return &Response{NoData: true, Errors: []*Error{{Message: message}}}
}

// ruling is what graphql-java, which AppSync runs, calls the faults that a rule of gqlparser finds.
type ruling struct {
	errorType string
	// message matches the rule's message. Its groups are the arguments of format, to which the
	// place in the document is added if it ends with %s.
	message *regexp.Regexp
	format  string
}

// rulings are those of the rules by name (graphql-java, ValidationErrorType).
var rulings = map[string]ruling{
	"FieldsOnCorrectType": {"FieldUndefined",
		regexp.MustCompile(`^Cannot query field "(\w+)" on type "(\w+)"`),
		"Field '%s' in type '%s' is undefined @ '%s'"},
	"KnownArgumentNames": {"UnknownArgument", regexp.MustCompile(`^Unknown argument "(\w+)"`),
		"Unknown field argument %s @ '%s'"},
	"ProvidedRequiredArguments": {"MissingFieldArgument",
		regexp.MustCompile(`^Field "\w+" argument "(\w+)"`), "Missing field argument %s @ '%s'"},
	"KnownFragmentNames": {"UndefinedFragment",
		regexp.MustCompile(`^Unknown fragment "(\w+)"`), "Undefined fragment %s @ '%s'"},
	"NoUnusedFragments": {"UnusedFragment", regexp.MustCompile(`^Fragment "(\w+)"`),
		"Unused fragment %s"},
	"NoUndefinedVariables": {"UndefinedVariable", regexp.MustCompile(`^Variable "\$?(\w+)"`),
		"Undefined variable %s @ '%s'"},
	"NoUnusedVariables": {"UnusedVariable", regexp.MustCompile(`^Variable "\$(\w+)"`),
		"Unused variable %s"},
	"KnownTypeNames": {"UnknownType", regexp.MustCompile(`^Unknown type "(\w+)"`),
		"Unknown type %s"},
	"ScalarLeafs":                  {errorType: "SubSelectionRequired"},
	"ValuesOfCorrectType":          {errorType: "WrongType"},
	"VariablesInAllowedPosition":   {errorType: "VariableTypeMismatch"},
	"KnownDirectives":              {errorType: "UnknownDirective"},
	"OverlappingFieldsCanBeMerged": {errorType: "FieldsConflict"},
	"NoFragmentCycles":             {errorType: "FragmentCycle"},
	"PossibleFragmentSpreads":      {errorType: "InvalidFragmentType"},
	"FragmentsOnCompositeTypes":    {errorType: "InlineFragmentTypeConditionInvalid"},
	"LoneAnonymousOperation":       {errorType: "LoneAnonymousOperationViolation"},
	"UniqueArgumentNames":          {errorType: "DuplicateArgumentNames"},
	"UniqueDirectivesPerLocation":  {errorType: "DuplicateDirectiveName"},
	"UniqueFragmentNames":          {errorType: "DuplicateFragmentName"},
	"UniqueOperationNames":         {errorType: "DuplicateOperationName"},
	"UniqueVariableNames":          {errorType: "DuplicateVariableName"},
	"VariablesAreInputTypes":       {errorType: "NonInputTypeOnVariable"},
	"SingleFieldSubscriptions":     {errorType: "SubscriptionMultipleRootFields"},
	"MaxIntrospectionDepth":        {errorType: "MaxQueryDepthExceeded"},
}

// invalid returns the error of a document that breaks a rule of validation.
func (o *Operation) invalid(e *gqlerror.Error) *Error {
	r := rulings[e.Rule]
	if strings.Contains(e.Message, "must not have a selection") {
		r.errorType = "SubSelectionNotAllowed"
	}
	if r.errorType == "" {
		r.errorType = "InvalidSyntax"
	}
	result := &Error{}
	place := ""
	for _, l := range e.Locations {
		result.locations = append(result.locations, Location{Line: l.Line, Column: l.Column})
	}
	if len(e.Locations) > 0 {
		place = o.place(e.Locations[0])
	}
	message := e.Message
	if r.message != nil {
		if found := r.message.FindStringSubmatch(e.Message); found != nil {
			var args []any
			for _, group := range found[1:] {
				args = append(args, group)
			}
			if strings.HasSuffix(r.format, "%s'") {
				args = append(args, place)
			}
			message = fmt.Sprintf(r.format, args...)
		}
	} else if place != "" {
		message += " @ '" + place + "'"
	}
	result.Message = fmt.Sprintf("Validation error of type %s: %s", r.errorType, message)
	return result
}

// place returns the names of the fields that lead to a place in the document, such as
// "getNote/title": to the last field that begins there or before.
func (o *Operation) place(l gqlerror.Location) string {
	var best []string
	var visit func(set ast.SelectionSet, names []string)
	visit = func(set ast.SelectionSet, names []string) {
		for _, s := range set {
			p := s.GetPosition()
			if p.Line > l.Line || p.Line == l.Line && p.Column > l.Column {
				return
			}
			switch s := s.(type) {
			case *ast.Field:
				best = append(slices.Clip(names), s.Name)
				visit(s.SelectionSet, best)
			case *ast.InlineFragment:
				visit(s.SelectionSet, names)
			}
		}
	}
	for _, operation := range o.document.Operations {
		visit(operation.SelectionSet, nil)
	}
	for _, fragment := range o.document.Fragments {
		visit(fragment.SelectionSet, []string{fragment.Name})
	}
	return strings.Join(best, "/")
}

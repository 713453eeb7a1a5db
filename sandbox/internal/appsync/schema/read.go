package schema

import (
	_ "embed"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
)

//go:embed amplify.graphql
var amplify string

// Options are what the schema itself does not tell. The zero value is a Gen 2 backend with an API
// key.
type Options struct {
	// Default is the API's default mode of authorization; APIKey if it is empty.
	Default Provider
	// Additional are its other modes.
	Additional []Provider
	// Gen1 is set for a backend of Gen 1. IAM principals that are no identities of the identity
	// pool then have no access; in Gen 2 they may do everything.
	Gen1 bool
}

func (o Options) has(mode Provider) bool {
	return mode == o.defaultMode() || slices.Contains(o.Additional, mode)
}

func (o Options) defaultMode() Provider {
	if o.Default == "" {
		return APIKey
	}
	return o.Default
}

// admins reports whether IAM principals in general have access.
func (o Options) admins() bool { return !o.Gen1 }

// Read reads an annotated schema. The name is that of the file, for faults. All faults are
// returned together; each begins with the file and the line.
func Read(name, text string, o Options) (*Schema, error) {
	return ReadFiles(map[string]string{name: text}, o)
}

// ReadFiles reads an annotated schema that is in several files: their texts by their names.
func ReadFiles(files map[string]string, o Options) (*Schema, error) {
	document := &ast.SchemaDocument{}
	var faults []error
	for _, name := range sorted(files) {
		part, err := parser.ParseSchema(&ast.Source{Name: name, Input: files[name]})
		if err != nil {
			faults = append(faults, faultOf(name, err))
			continue
		}
		document.Merge(part)
	}
	if faults != nil {
		return nil, errors.Join(faults...)
	}
	return read(strings.Join(sorted(files), ", "), document, o, false)
}

// read makes a schema of an annotated document, or of one that stands for a model introspection.
func read(
	name string, document *ast.SchemaDocument, o Options, introspected bool,
) (*Schema, error) {
	r := &reader{
		name: name, options: o, document: document, introspected: introspected,
		defs: map[string]*ast.Definition{},
		schema: &Schema{
			options: o, models: map[string]*Model{}, fields: map[string][]*role{},
			unruled: map[string]bool{},
			operations: map[ast.Operation]map[string]*Operation{
				ast.Query: {}, ast.Mutation: {}, ast.Subscription: {},
			},
		},
	}
	for _, step := range []func(){
		r.directivesKnown, r.validate, r.joinModels, r.readModels, r.readKeys, r.readRelations,
		r.readRoles, r.readCustom, r.derive, r.describe,
	} {
		if step(); len(r.faults) > 0 {
			return nil, errors.Join(r.faults...)
		}
	}
	return r.schema, nil
}

// A reader makes a schema of a document, in steps.
type reader struct {
	name     string
	options  Options
	document *ast.SchemaDocument
	schema   *Schema
	defs     map[string]*ast.Definition // of the document, with its extensions
	faults   []error

	introspected bool // the document lacks what a model introspection lacks

	joins map[string]bool // the models that join many to many
	// sandboxed is set if Gen 1's globalAuthRule lets the API key in where models have no rules.
	sandboxed bool
}

func (r *reader) fault(pos *ast.Position, format string, args ...any) {
	r.faults = append(r.faults, fmt.Errorf("%s: %s", r.where(pos), fmt.Sprintf(format, args...)))
}

func (r *reader) warn(pos *ast.Position, format string, args ...any) {
	r.schema.Warnings = append(r.schema.Warnings, r.where(pos)+": "+fmt.Sprintf(format, args...))
}

// where returns the file and the line of a position, or the type or field that stands for it.
func (r *reader) where(pos *ast.Position) string {
	switch {
	case pos == nil:
		return r.name
	case pos.Line > 0:
		return pos.Src.Name + ":" + strconv.Itoa(pos.Line)
	}
	return r.name + ": " + pos.Src.Name
}

// faultOf gives an error of gqlparser the form of the others.
func faultOf(name string, err error) error {
	var ge *gqlerror.Error
	if !errors.As(err, &ge) {
		return fmt.Errorf("%s: %w", name, err)
	}
	file, _ := ge.Extensions["file"].(string)
	switch {
	case len(ge.Locations) > 0 && ge.Locations[0].Line > 0 && file != "":
		return fmt.Errorf("%s:%d: %s", file, ge.Locations[0].Line, ge.Message)
	case file != "": // see place
		name += ": " + file
	}
	return fmt.Errorf("%s: %s", name, ge.Message)
}

// unserved are directives of Amplify that the sandbox does not serve, and what becomes of them.
var unserved = map[string]string{
	"searchable":   "the API of the sandbox has no search queries",
	"http":         "the sandbox makes no HTTP request for it; register a handler in Go",
	"predictions":  "the sandbox makes no predictions; register a handler in Go",
	"sql":          "the sandbox runs no SQL; register a handler in Go",
	"generation":   "the sandbox has no AI model; register a handler in Go",
	"conversation": "the sandbox has no conversations",
}

// refused are directives that the sandbox cannot do without, and does not know.
var refused = map[string]string{
	"versioned":  "it belongs to version 1 of Amplify's transformer; migrate the schema",
	"key":        "it belongs to version 1 of Amplify's transformer; see @primaryKey and @index",
	"connection": "it belongs to version 1 of Amplify's transformer; see @hasMany and @belongsTo",
}

// directivesKnown tells of the directives that the sandbox does not serve, and takes out those
// that it can do without.
func (r *reader) directivesKnown() {
	keep := func(list ast.DirectiveList, where string) ast.DirectiveList {
		return slices.DeleteFunc(list, func(d *ast.Directive) bool {
			if why, ok := refused[d.Name]; ok {
				r.fault(d.Position, "@%s on %s: %s", d.Name, where, why)
			}
			why, ok := unserved[d.Name]
			if ok {
				r.warn(d.Position, "@%s on %s: %s", d.Name, where, why)
			}
			return ok
		})
	}
	for _, def := range slices.Concat(r.document.Definitions, r.document.Extensions) {
		def.Directives = keep(def.Directives, def.Name)
		for _, f := range def.Fields {
			f.Directives = keep(f.Directives, def.Name+"."+f.Name)
		}
	}
}

// validate checks the document against GraphQL's rules and Amplify's directives.
func (r *reader) validate() {
	document := validator.PreludeDocument()
	own, err := parser.ParseSchema(&ast.Source{Name: "amplify.graphql", Input: amplify})
	if err != nil {
		panic(err) // embedded
	}
	document.Merge(own)
	settings := r.document.Definitions.ForName("AMPLIFY")
	if settings != nil {
		r.readGlobals(settings)
		r.document.Definitions = slices.DeleteFunc(r.document.Definitions,
			func(d *ast.Definition) bool { return d == settings })
	}
	document.Merge(r.document)
	valid, err := validator.ValidateSchemaDocument(document)
	if err != nil {
		r.faults = append(r.faults, faultOf(r.name, err))
		return
	}
	if q := valid.Query; q != nil { // introspection belongs to the deployed schema
		q.Fields = slices.DeleteFunc(q.Fields, func(f *ast.FieldDefinition) bool {
			return f.Name == "__schema" || f.Name == "__type"
		})
	}
	for _, def := range r.document.Extensions {
		if r.document.Definitions.ForName(def.Name) == nil {
			r.document.Definitions = append(r.document.Definitions, valid.Types[def.Name])
		}
	}
	for _, def := range r.document.Definitions {
		r.defs[def.Name] = def
	}
}

// readGlobals reads Gen 1's "input AMPLIFY": globalAuthRule opens the models that have no rules to
// the API key.
func (r *reader) readGlobals(def *ast.Definition) {
	for _, f := range def.Fields {
		switch f.Name {
		case "globalAuthRule", "global_auth_rule":
			if f.DefaultValue != nil {
				r.sandboxed = text(f.DefaultValue.Children.ForName("allow")) == string(Public)
			}
			if !r.sandboxed {
				r.fault(f.Position, "%s takes { allow: public } only", f.Name)
			}
			if !r.options.Gen1 {
				r.sandboxed = false
				r.warn(f.Position, "%s has no effect in Gen 2", f.Name)
			}
		default:
			r.warn(f.Position, "the sandbox does not know the setting %q", f.Name)
		}
	}
}

func (r *reader) isModel(name string) bool {
	def := r.defs[name]
	return def != nil && def.Directives.ForName("model") != nil
}

func (r *reader) isEnum(name string) bool {
	def := r.defs[name]
	return def != nil && def.Kind == ast.Enum
}

// scalarOf returns the scalar that filters and keys use for a type; empty if it is no scalar or
// enum.
func (r *reader) scalarOf(name string) string {
	if r.isEnum(name) {
		return "String"
	}
	return baseScalars[name]
}

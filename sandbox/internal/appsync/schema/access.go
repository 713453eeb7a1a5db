package schema

import (
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// An Error is a refusal in AppSync's words.
type Error struct {
	Type    string // errorType
	Message string
}

func (e *Error) Error() string { return e.Message }

func unauthorized() error { return &Error{Type: "Unauthorized", Message: "Unauthorized"} }

func notAuthorized(typ, field string) error {
	return &Error{
		Type:    "Unauthorized",
		Message: "Not Authorized to access " + field + " on type " + typ,
	}
}

func unauthorizedOn(fields []string) error {
	return &Error{
		Type:    "Unauthorized",
		Message: "Unauthorized on [" + strings.Join(fields, ", ") + "]",
	}
}

// AllowField is the first layer: it refuses a field whose directives, or those of its type, do not
// name the mode of the request. It applies to each selected field of an object type of the API.
func (s *Schema) AllowField(id Identity, typ *ast.Definition, f *ast.FieldDefinition) error {
	if strings.HasPrefix(f.Name, "__") || strings.HasPrefix(typ.Name, "__") {
		return nil
	}
	if id.Provider == Function && slices.Contains(id.Denied, typ.Name+"."+f.Name) {
		return notAuthorized(typ.Name, f.Name)
	}
	if s.unruled[typ.Name+"."+f.Name] && id.Provider == IAM && id.IAM != Admin {
		return notAuthorized(typ.Name, f.Name)
	}
	list := modeDirectives(f.Directives)
	if len(list) == 0 {
		list = modeDirectives(typ.Directives)
	}
	if len(list) == 0 && id.Provider == s.options.defaultMode() {
		return nil
	}
	for _, d := range list {
		if !s.names(d, id.Provider) {
			continue
		}
		groups := argument(d, "cognito_groups")
		if groups == nil || groups.Kind == ast.NullValue {
			return nil
		}
		for _, group := range texts(groups) {
			if slices.Contains(claimList(id.Claims[defaultGroupClaim]), group) {
				return nil
			}
		}
	}
	return notAuthorized(typ.Name, f.Name)
}

// names reports whether a directive lets a mode in. @aws_auth speaks of the user pool, where that
// is the default.
func (s *Schema) names(d *ast.Directive, mode Provider) bool {
	if d.Name == "aws_auth" {
		return mode == UserPool && s.options.defaultMode() == UserPool
	}
	return slices.Contains(directives, modeDirective{mode, d.Name})
}

func modeDirectives(list ast.DirectiveList) ast.DirectiveList {
	var out ast.DirectiveList
	for _, d := range list {
		if strings.HasPrefix(d.Name, "aws_") && d.Name != "aws_subscribe" {
			out = append(out, d)
		}
	}
	return out
}

// AllowCustom is the second layer for an operation that the schema declares, and for a field of a
// type that is no model.
func (s *Schema) AllowCustom(id Identity, typ, field string) error {
	roles, guarded := s.fields[typ+"."+field]
	if s.admin(id) || !guarded && !(id.Provider == IAM && id.IAM == OtherIdentity) {
		return nil
	}
	for _, one := range roles {
		if id.has(one) {
			return nil
		}
	}
	return unauthorized()
}

// admin reports whether the caller may do everything.
func (s *Schema) admin(id Identity) bool {
	return s.options.admins() && id.Provider == IAM && id.IAM == Admin
}

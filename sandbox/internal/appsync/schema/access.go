package schema

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// An Identity is a caller, as AppSync knows them once their credentials are verified. The zero
// value is nobody.
type Identity struct {
	Provider Provider       // how the request was authorized
	Claims   map[string]any // of UserPool and OIDC: those of the token
	IAM      Principal      // of IAM
	// Denied are the fields that a Lambda authorizer denies, as "Type.field".
	Denied []string
}

// Principal says what an IAM principal is to the backend.
type Principal string

// The IAM principals.
const (
	// Guest has the role of identities that are not signed in.
	Guest Principal = "guest"
	// SignedIn has the role of identities that are.
	SignedIn Principal = "signedIn"
	// SignedInOtherRole is a signed-in identity of the pool with another role, such as a group's.
	SignedInOtherRole Principal = "signedInOtherRole"
	// OtherIdentity is an identity of another pool, or a guest with another role.
	OtherIdentity Principal = ""
	// Admin is a principal that is no identity of an identity pool.
	Admin Principal = "admin"
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
	return slices.ContainsFunc(directives, func(e struct {
		mode Provider
		name string
	}) bool {
		return e.name == d.Name && e.mode == mode
	})
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
	if !guarded || s.admin(id) {
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

// has reports whether a static role is the caller's.
func (id Identity) has(one *role) bool {
	if one.provider != id.Provider {
		return false
	}
	switch {
	case one.provider == IAM && one.allow == Public:
		return id.IAM == Guest
	case one.provider == IAM:
		return id.IAM == SignedIn || id.IAM == SignedInOtherRole
	case one.allow == Groups:
		// A claim that is a text is searched for the group's name, as Java's String.contains does.
		if text, ok := id.Claims[one.claim].(string); ok {
			return strings.Contains(text, one.entity)
		}
		return slices.Contains(claimList(id.Claims[one.claim]), one.entity)
	}
	return true
}

// owner returns the values that stand for the caller as an owner: the one that is stored last. It
// returns none if the token lacks a claim.
func (id Identity) owner(one *role) []string {
	if one.provider != id.Provider {
		return nil
	}
	var parts []string
	for _, name := range strings.Split(one.claim, claimDelimiter) {
		value, ok := id.Claims[name].(string)
		if name == "username" && !ok {
			value, ok = id.Claims["cognito:username"].(string)
		}
		if !ok {
			return nil
		}
		parts = append(parts, value)
	}
	if len(parts) == 1 {
		return parts
	}
	return append(parts, strings.Join(parts, claimDelimiter))
}

// groups returns the caller's groups for a dynamic role: a list, a list in JSON, or one name.
func (id Identity) groups(one *role) []string {
	if one.provider != id.Provider {
		return nil
	}
	text, ok := id.Claims[one.claim].(string)
	if !ok {
		return claimList(id.Claims[one.claim])
	}
	var list []any
	if json.Unmarshal([]byte(text), &list) == nil {
		return claimList(list)
	}
	return []string{text}
}

// values returns what makes the caller match a dynamic role: owners or groups.
func (id Identity) values(one *role) []string {
	if one.allow == Owner {
		return id.owner(one)
	}
	return id.groups(one)
}

// owns reports whether a value of the field that a dynamic role names is the caller's.
func (id Identity) owns(one *role, value any) bool {
	mine := id.values(one)
	if one.list {
		return slices.ContainsFunc(claimList(value), func(v string) bool { return slices.Contains(mine, v) })
	}
	text, ok := value.(string)
	return ok && slices.Contains(mine, text)
}

// claimList returns the texts of a list.
func claimList(v any) []string {
	var out []string
	switch list := v.(type) {
	case []string:
		return list
	case []any:
		for _, e := range list {
			if text, ok := e.(string); ok {
				out = append(out, text)
			}
		}
	}
	return out
}

// A grant is which fields a caller may write.
type grant struct {
	all          bool
	fields, null map[string]bool
}

func (g *grant) add(m *Model, one *role, write, null Access) {
	if one.canAll(write) && one.canAll(null) {
		g.all = true
		return
	}
	for f, has := range one.fields {
		if has&write != 0 {
			g.fields[f] = true
		}
		if has&null != 0 {
			g.null[f] = true
		}
	}
	for f := range m.settable {
		g.fields[f] = true
	}
}

func (g *grant) empty() bool { return !g.all && len(g.fields) == 0 && len(g.null) == 0 }

// AllowCreate checks a new item, and returns it with the owner filled in where the input leaves the
// owner out. Defaults are applied before: the rules see them.
func (s *Schema) AllowCreate(id Identity, m *Model, input map[string]any) (map[string]any, error) {
	if s.admin(id) {
		return input, nil
	}
	item := maps.Clone(input)
	g := &grant{fields: map[string]bool{}, null: map[string]bool{}}
	for _, one := range m.roles {
		if !one.can(AllowCreate) {
			continue
		}
		partly := !one.canAll(AllowCreate)
		switch {
		case one.static:
			// Where a rule of the identity pool gives some fields only, the role alone counts.
			if id.has(one) && !(partly && id.IAM == SignedInOtherRole) {
				g.add(m, one, AllowCreate, AllowCreate)
			}
		case one.allow == Owner:
			mine := id.owner(one)
			if mine == nil {
				continue
			}
			value, given := item[one.entity]
			if !given {
				item[one.entity] = stored(one, mine)
			}
			if !given || id.owns(one, value) {
				g.add(m, one, AllowCreate, AllowCreate)
			}
		case id.owns(one, item[one.entity]):
			g.add(m, one, AllowCreate, AllowCreate)
		}
	}
	if g.all {
		return item, nil
	}
	if len(g.fields) == 0 {
		return nil, unauthorized()
	}
	if denied := without(input, g.fields); len(denied) > 0 {
		return nil, unauthorizedOn(denied)
	}
	return item, nil
}

// stored is how an owner is written.
func stored(one *role, mine []string) any {
	last := mine[len(mine)-1]
	if one.list {
		return []any{last}
	}
	return last
}

// without returns the names in the input that are not among those allowed, in order.
func without(input map[string]any, allowed map[string]bool) []string {
	return slices.DeleteFunc(sorted(input), func(name string) bool { return allowed[name] })
}

// AllowUpdate checks a change of an item. The item is nil if there is none: owners and dynamic
// groups are then refused.
func (s *Schema) AllowUpdate(id Identity, m *Model, item, input map[string]any) error {
	if s.admin(id) {
		return nil
	}
	g := &grant{fields: map[string]bool{}, null: map[string]bool{}}
	for _, one := range m.roles {
		if !one.can(AllowUpdate | AllowDelete) {
			continue
		}
		if one.static && id.has(one) || !one.static && id.owns(one, item[one.entity]) {
			g.add(m, one, AllowUpdate, AllowDelete)
			g.fields[m.Key.Partition] = true
		}
	}
	if g.all {
		return nil
	}
	if g.empty() {
		return unauthorized()
	}
	denied := without(input, g.fields)
	for _, name := range sorted(input) {
		if input[name] == nil && !g.null[name] && !slices.Contains(denied, name) {
			denied = append(denied, name)
		}
	}
	if len(denied) > 0 {
		return unauthorizedOn(denied)
	}
	return nil
}

// AllowDelete checks the removal of an item, or of none, which is nil. Only who may delete every
// field may delete.
func (s *Schema) AllowDelete(id Identity, m *Model, item map[string]any) error {
	if s.admin(id) {
		return nil
	}
	for _, one := range m.roles {
		if !one.canAll(AllowDelete) {
			continue
		}
		if one.static && id.has(one) || !one.static && id.owns(one, item[one.entity]) {
			return nil
		}
	}
	return unauthorized()
}

// A Grant says which items of a model a caller may read.
type Grant struct {
	// Filter selects them, in AppSync's language of filters; nil selects all.
	Filter map[string]any
	// Key has values that fields of the sort key must have.
	Key map[string]any
}

// AllowRead says which items a get, a list or a query of an index may answer with. The arguments
// are those of the operation.
func (s *Schema) AllowRead(id Identity, op *Operation, args map[string]any) (Grant, error) {
	access := AllowList
	if op.Kind == Get {
		access = AllowGet
	}
	if s.admin(id) {
		return Grant{}, nil
	}
	var or []any
	missing := map[string][]string{} // fields of the key that the arguments leave out, and their values
	for _, one := range op.Model.roles {
		if !one.can(access) {
			continue
		}
		if one.static {
			if id.has(one) {
				return Grant{}, nil
			}
			continue
		}
		mine := id.values(one)
		if len(mine) == 0 {
			continue
		}
		if !inKey(op.Key, one.entity) {
			or = append(or, condition(id, one)...)
			continue
		}
		arg := args[one.entity]
		if arg == nil {
			missing[one.entity] = mine
		} else if matches(arg, mine) {
			return Grant{}, nil
		}
	}
	if len(missing) > 0 {
		switch {
		case op.Kind != Index && args[op.Key.Partition] == nil: // a scan
			for _, name := range sorted(missing) {
				or = append(or, map[string]any{name: map[string]any{"in": anys(missing[name])}})
			}
		case len(or) == 0:
			key := map[string]any{}
			for name, mine := range missing {
				key[name] = mine[len(mine)-1]
			}
			return Grant{Key: key}, nil
		}
	}
	return grantOf(or)
}

func grantOf(or []any) (Grant, error) {
	if len(or) == 0 {
		return Grant{}, unauthorized()
	}
	return Grant{Filter: map[string]any{"or": or}}, nil
}

// inKey reports whether a field is an attribute of the key by itself. Several sort fields are one
// attribute.
func inKey(k *Key, name string) bool {
	return k.Partition == name || len(k.Sort) == 1 && k.Sort[0] == name
}

// matches reports whether an argument names one of the caller's values: a text, or a condition.
func matches(arg any, mine []string) bool {
	switch arg := arg.(type) {
	case string:
		return slices.Contains(mine, arg)
	case map[string]any:
		eq, _ := arg["eq"].(string)
		return slices.Contains(mine, eq)
	}
	return false
}

// condition is the filter of a dynamic role.
func condition(id Identity, one *role) []any {
	var out []any
	add := func(operator string, value any) {
		out = append(out, map[string]any{one.entity: map[string]any{operator: value}})
	}
	switch {
	case one.allow == Groups && !one.list:
		add("in", anys(id.groups(one)))
	case one.allow == Groups:
		// A claim that is a text is no list here, even if it holds one.
		for _, group := range claimList(id.Claims[one.claim]) {
			if group != "" {
				add("contains", group)
			}
		}
	default:
		operator := "eq"
		if one.list {
			operator = "contains"
		}
		for _, value := range id.owner(one) {
			add(operator, value)
		}
	}
	return out
}

func anys(list []string) []any {
	out := make([]any, len(list))
	for i, s := range list {
		out[i] = s
	}
	return out
}

// AllowRelation says which related items a relation may answer with. The item is the one that the
// relation leads from.
func (s *Schema) AllowRelation(id Identity, f *Field, item map[string]any) (Grant, error) {
	if err := s.AllowReadField(id, f, item); err != nil {
		return Grant{}, err
	}
	if s.admin(id) {
		return Grant{}, nil
	}
	var or []any
	for _, one := range f.Relation.Model.roles {
		switch {
		case !one.can(AllowRead):
		case !one.static:
			or = append(or, condition(id, one)...)
		case id.has(one):
			return Grant{}, nil
		}
	}
	return grantOf(or)
}

// AllowReadField checks a field of an item that the caller may read.
func (s *Schema) AllowReadField(id Identity, f *Field, item map[string]any) error {
	if !f.guarded || s.admin(id) {
		return nil
	}
	for _, one := range f.readers {
		if one.static && id.has(one) || !one.static && id.owns(one, item[one.entity]) {
			return nil
		}
	}
	return unauthorized()
}

// Redacted reports whether answers of mutations have null in the field, or an empty list, whoever
// asks: subscribers get what the mutation answered. That holds at any depth of the answer.
func (f *Field) Redacted() bool { return f.redact }

// ShownOwner returns the part of a stored owner, or of owners, that clients see.
func ShownOwner(v any) any {
	switch v := v.(type) {
	case string:
		if i := strings.LastIndex(v, claimDelimiter); i >= 0 {
			return v[i+len(claimDelimiter):]
		}
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = ShownOwner(e)
		}
		return out
	}
	return v
}

// AllowSubscribe checks a subscription to a model, and returns the filter of what is delivered: that
// of the arguments together with what the rules add. It is nil if there is none; the other
// arguments of the subscription then filter by equality.
func (s *Schema) AllowSubscribe(id Identity, m *Model, args map[string]any) (map[string]any, error) {
	filter, _ := args["filter"].(map[string]any)
	if len(filter) == 0 {
		filter = nil
	}
	if m.Level != LevelOn || s.admin(id) {
		return filter, nil
	}
	authorized, byArgument := false, false
	var or []any
	for _, one := range m.roles {
		if !one.can(AllowListen) {
			continue
		}
		if one.static {
			authorized = authorized || id.has(one)
			continue
		}
		mine := id.values(one)
		if len(mine) == 0 {
			continue
		}
		operator, value := "in", any(anys(mine))
		switch {
		case one.allow == Groups && one.list:
			operator = "containsAny"
		case one.allow == Owner:
			// Subscribers see owners as clients do: the last claim.
			operator, value = "eq", mine[max(0, len(mine)-2)]
			if one.list {
				operator = "contains"
			}
		}
		or = append(or, map[string]any{one.entity: map[string]any{operator: value}})
		if one.allow != Owner {
			continue
		}
		if named, _ := args[one.entity].(string); named != "" && !authorized {
			if !slices.Contains(mine, named) {
				return nil, unauthorized()
			}
			authorized, byArgument = true, true
		}
	}
	// The argument alone suffices where it is the only condition.
	simple := byArgument && len(or) == 1 && filter == nil
	if !simple && (!authorized || byArgument) && len(or) > 0 {
		authorized = true
		rules := map[string]any{"or": or}
		if filter == nil {
			filter = rules
		} else {
			filter = map[string]any{"and": []any{rules, filter}}
		}
	}
	if !authorized {
		return nil, unauthorized()
	}
	return filter, nil
}

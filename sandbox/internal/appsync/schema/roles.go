package schema

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// A role is what a rule gives one kind of caller, over all fields of a model.
type role struct {
	provider Provider // as requests have it
	written  Provider // as the rule has it
	allow    Strategy
	static   bool   // does not depend on the item
	claim    string // of owners and groups
	entity   string // the group, or the field that names owners or groups
	list     bool   // that field is a list

	fields map[string]Access // by declared field
}

// same reports whether two roles stand for the same callers.
func (r *role) same(o *role) bool {
	return r.written == o.written && r.allow == o.allow && r.static == o.static &&
		r.claim == o.claim && r.entity == o.entity
}

// can reports whether the role has some of a on some field.
func (r *role) can(a Access) bool {
	for _, has := range r.fields {
		if has&a != 0 {
			return true
		}
	}
	return false
}

// canAll reports whether the role has a on every field.
func (r *role) canAll(a Access) bool {
	for _, has := range r.fields {
		if has&a == 0 {
			return false
		}
	}
	return len(r.fields) > 0
}

// rolesOf returns the roles that a rule stands for: one for each static group.
func rolesOf(rule Rule, def *ast.Definition) []*role {
	base := role{
		provider: rule.Provider.mode(), written: rule.Provider, allow: rule.Allow, static: true,
	}
	isList := func(field string) bool {
		f := def.Fields.ForName(field)
		return f != nil && f.Type.Elem != nil
	}
	switch rule.Allow {
	case Groups:
		base.claim = rule.GroupClaim
		if rule.Groups == nil {
			base.static, base.entity, base.list = false, rule.GroupsField, isList(rule.GroupsField)
			break
		}
		var roles []*role
		for _, group := range rule.Groups {
			one := base
			one.entity = group
			roles = append(roles, &one)
		}
		return roles
	case Owner:
		base.static, base.claim = false, rule.IdentityClaim
		base.entity, base.list = rule.OwnerField, isList(rule.OwnerField)
	}
	return []*role{&base}
}

// rank gives the order in which the rules for tokens are tried: private, static groups, owners,
// dynamic groups.
func (r *role) rank() int {
	switch {
	case r.allow == Groups && r.static:
		return 1
	case r.allow == Owner:
		return 2
	case r.allow == Groups:
		return 3
	}
	return 0
}

// multi reports whether the owner is made of several claims.
func (r *role) multi() bool {
	return r.allow == Owner && strings.Contains(r.claim, claimDelimiter)
}

// readRoles makes roles of the rules of each model and its fields, and works out which fields are
// guarded and which ones the answers of mutations leave out. It does as Amplify's transformer does
// (amplify-graphql-auth-transformer: graphql-auth-transformer.ts and accesscontrol/acm.ts).
func (r *reader) readRoles() {
	for _, m := range r.schema.Models {
		r.readModelRoles(m)
	}
	for _, m := range r.schema.Models {
		for _, f := range m.Fields {
			r.guard(m, f)
		}
	}
}

func (r *reader) readModelRoles(m *Model) {
	byName := map[string]*role{}
	set := func(rule Rule, field string, pos *ast.Position) {
		for _, one := range rolesOf(rule, m.def) {
			name := fmt.Sprintf("%q", []any{
				one.provider, one.allow, one.static, one.entity, one.claim,
			})
			old := byName[name]
			if old == nil {
				one.fields = map[string]Access{}
				for _, f := range m.def.Fields {
					one.fields[f.Name] = 0
				}
				byName[name], old = one, one
				m.roles = append(m.roles, one)
			} else if field == "" && !r.joins[m.Name] {
				r.fault(pos, "the model %s has two rules for the same callers", m.Name)
			}
			for f := range old.fields {
				if field == "" || field == f {
					old.fields[f] = rule.Access
				}
			}
		}
	}
	fieldRules := false
	for _, f := range m.Fields {
		fieldRules = fieldRules || f.Rules != nil
	}
	pos := m.def.Position
	if d := m.def.Directives.ForName("auth"); d != nil {
		m.Rules, pos = r.rules(d, false), d.Position
	} else if r.sandboxed && !fieldRules {
		m.Rules = []Rule{{Allow: Public, Provider: APIKey, Access: AllowAll}}
	}
	for _, rule := range m.Rules {
		set(rule, "", pos)
	}
	for _, f := range m.Fields {
		if f.Rules == nil {
			continue
		}
		for _, one := range m.roles {
			one.fields[f.Name] = 0
		}
		for _, rule := range f.Rules {
			set(rule, f.Name, f.pos)
		}
	}
	for _, one := range m.roles {
		if one.allow == Owner {
			m.add(&Field{Name: one.entity, Type: named("String"), Added: true, pos: pos})
		}
		if one.multi() {
			m.fields[one.entity].Owner = true
		}
	}
	if len(m.roles) == 0 {
		who := "nobody may use it"
		if r.options.admins() {
			who += " but IAM principals outside of the identity pool"
		}
		r.warn(m.def.Position, "the model %s has no rules: %s", m.Name, who)
	}
	slices.SortStableFunc(m.roles, func(a, b *role) int { return a.rank() - b.rank() })
}

// guard finds out whether some who may read the model may not read a field, and whether the
// answers of mutations leave it out: who subscribes to them may be one of those.
func (r *reader) guard(m *Model, f *Field) {
	if m.def.Fields.ForName(f.Name) == nil || len(m.roles) == 0 {
		return
	}
	var all []*role
	for _, one := range m.roles {
		// Amplify means to take every way of reading here, but takes get alone.
		if one.can(AllowGet) {
			all = append(all, one)
		}
	}
	// A provider's private rule that reads the field in every way stands for its other rules.
	for _, provider := range []Provider{UserPool, OIDC} {
		private := slices.IndexFunc(all, func(o *role) bool {
			return o.provider == provider && o.allow == Private &&
				o.fields[f.Name]&AllowRead == AllowRead
		})
		if private < 0 {
			continue
		}
		keep := all[private]
		all = slices.DeleteFunc(slices.Clone(all), func(o *role) bool {
			return o.provider == provider && o != keep
		})
	}
	for _, one := range all {
		if one.fields[f.Name]&AllowRead != 0 {
			f.readers = append(f.readers, one)
		}
	}
	f.guarded = len(f.readers) < len(all)
	if f.guarded && f.Type.NonNull && m.Level == LevelOn {
		r.fault(f.pos, "%s.%s is required, but some who may read %s may not read it; "+
			"give the field a rule with read for all of them", m.Name, f.Name, m.Name)
	}
	f.redact = f.guarded
	if f.Relation != nil && !f.Type.NonNull && !f.guarded {
		others, known := differ(f.readers, f.Relation.Model)
		if f.redact = others; others && !known && m.Level == LevelOn {
			r.warn(f.pos, "answers of mutations leave out %s.%s, because %s has other rules; "+
				"AWS would show it to all subscribers: read it by a query",
				m.Name, f.Name, f.Relation.Model.Name)
		}
	}
	// The resolver that shows the last part of an owner answers whatever the one before it did.
	f.redact = f.redact && m.Level == LevelOn && !f.Owner
}

// differ reports whether those who may read a relation and those who may read the related model
// are not the same callers, although some callers may be both. Amplify looks for callers that are
// both among equal and private rules alone: a user whom one rule lets read the relation, and another
// one the related item, then shows that item to all subscribers. known is false in that case.
func differ(readers []*role, related *Model) (differ, known bool) {
	var others []*role
	for _, one := range related.roles {
		if one.can(AllowRead) {
			others = append(others, one)
		}
	}
	for _, provider := range []Provider{UserPool, OIDC} {
		private := func(o *role) bool { return o.provider == provider && o.allow == Private }
		if slices.ContainsFunc(others, private) {
			others = slices.DeleteFunc(slices.Clone(others), func(o *role) bool {
				return o.provider == provider && o.allow != Private
			})
		}
	}
	shared := false
	for _, a := range readers {
		for _, b := range others {
			personal := slices.Contains([]Provider{UserPool, OIDC, IdentityPool}, a.written)
			one := personal && a.written == b.written
			shared = shared || a.same(b) || one
			known = known || a.same(b) || one && (a.allow == Private || b.allow == Private)
		}
	}
	if len(related.roles) == 0 || !shared {
		return false, false
	}
	identical := len(readers) == len(others)
	for _, b := range others {
		identical = identical && slices.ContainsFunc(readers, func(a *role) bool {
			return a.same(b) && a.static && a.allow != Lambda
		})
	}
	return !identical, known
}

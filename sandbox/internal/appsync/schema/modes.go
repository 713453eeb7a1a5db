package schema

import (
	"slices"

	"github.com/vektah/gqlparser/v2/ast"
)

// modes puts the directives of modes on types and fields: the first layer of authorization.
func (a *api) modes() {
	open := a.options.admins() || a.sandboxed
	for _, def := range a.document.Definitions {
		if def.Kind != ast.Object || a.isModel(def.Name) {
			continue
		}
		out := a.types[def.Name]
		if open {
			out.Directives = withModes(out.Directives, []Provider{IAM})
		}
		isRoot := slices.Contains([]string{"Query", "Mutation", "Subscription"}, def.Name)
		for _, f := range def.Fields {
			of := out.Fields.ForName(f.Name)
			if isRoot && open {
				of.Directives = withModes(of.Directives, []Provider{IAM})
			}
			if roles, ok := a.schema.fields[def.Name+"."+f.Name]; ok {
				of.Directives = withModes(of.Directives, a.service(a.providers(roles), false))
			}
		}
	}
	for _, m := range a.schema.Models {
		if m.def.Directives.ForName("auth") == nil {
			a.openModel(m)
		}
		if len(m.roles) == 0 {
			continue
		}
		providers := a.providers(m.roles)
		typ := a.types[m.Name]
		typ.Directives = withModes(typ.Directives, a.service(providers, false))
		for _, op := range m.Operations {
			for _, access := range accessesOf(op, m) {
				a.operationModes(m, op, access)
			}
		}
		a.propagate(typ, providers)
	}
}

// accessesOf returns what the modes of an operation are taken from.
func accessesOf(op *Operation, m *Model) []Access {
	switch op.Kind {
	case Get:
		return []Access{AllowGet}
	case List:
		return []Access{AllowList}
	case Index:
		return []Access{AllowList, AllowGet}
	case Create:
		return []Access{AllowCreate}
	case Update:
		return []Access{AllowUpdate}
	case Delete:
		return []Access{AllowDelete}
	}
	if m.Level != LevelOn {
		return nil
	}
	return []Access{AllowListen}
}

func (a *api) operationModes(m *Model, op *Operation, access Access) {
	var roles []*role
	for _, one := range m.roles {
		if access == AllowDelete && one.canAll(access) || access != AllowDelete && one.can(access) {
			roles = append(roles, one)
		}
	}
	mode := a.options.defaultMode()
	withDefault := slices.ContainsFunc(roles, func(o *role) bool { return o.provider == mode }) ||
		len(roles) == 0 && a.options.admins() && mode != IAM
	a.putModes(op, a.service(a.providers(roles), withDefault))
}

// putModes puts directives on an operation and on the type of its answer.
func (a *api) putModes(op *Operation, modes []Provider) {
	f := a.root(op.Root).Fields.ForName(op.Name)
	f.Directives = withModes(f.Directives, modes)
	answer := a.types[f.Type.Name()]
	answer.Directives = withModes(answer.Directives, modes)
}

// openModel gives a model without rules the modes that settings of the API open such models to.
func (a *api) openModel(m *Model) {
	var modes []Provider
	mode, admins := a.options.defaultMode(), a.options.admins()
	if a.sandboxed && mode != APIKey {
		modes = append(modes, APIKey)
	}
	if admins && mode != IAM {
		modes = append(modes, IAM)
	}
	if len(modes) == 0 {
		return
	}
	typ := a.types[m.Name]
	typ.Directives = withModes(typ.Directives, modes)
	for _, op := range m.Operations {
		a.putModes(op, modes)
	}
	seen := map[string]bool{}
	var nested func(*ast.Definition)
	nested = func(def *ast.Definition) {
		for _, f := range def.Fields {
			inner := a.types[f.Type.Name()]
			if inner == nil || inner.Kind != ast.Object || a.isModel(inner.Name) ||
				seen[inner.Name] {
				continue
			}
			seen[inner.Name] = true
			inner.Directives = withModes(inner.Directives, modes)
			nested(inner)
		}
	}
	nested(typ)
}

// propagate gives the modes of a model to the types within it that are no models.
func (a *api) propagate(def *ast.Definition, providers []Provider) {
	for _, f := range def.Fields {
		inner := a.types[f.Type.Name()]
		if inner == nil || inner.Kind != ast.Object || a.isModel(inner.Name) {
			continue
		}
		seen := a.seen[inner.Name]
		modes := a.service(providers, seen != nil)
		if seen == nil {
			a.seen[inner.Name] = map[Provider]bool{}
		}
		modes = slices.DeleteFunc(modes, func(p Provider) bool { return seen[p] })
		for _, p := range modes {
			a.seen[inner.Name][p] = true
		}
		if len(modes) > 0 || seen == nil {
			inner.Directives = withModes(inner.Directives, modes)
			a.propagate(inner, providers)
		}
	}
}

// providers returns the modes of roles. IAM is among them where its principals have access.
func (a *api) providers(roles []*role) []Provider {
	var list []Provider
	for _, one := range roles {
		if !slices.Contains(list, one.provider) {
			list = append(list, one.provider)
		}
	}
	if a.options.admins() && !slices.Contains(list, IAM) {
		list = append(list, IAM)
	}
	return list
}

// service returns the modes that need directives. The default mode needs one only beside others.
func (a *api) service(providers []Provider, withDefault bool) []Provider {
	mode := a.options.defaultMode()
	others := slices.ContainsFunc(providers, func(p Provider) bool { return p != mode })
	var list []Provider
	for _, d := range directives {
		has := slices.Contains(providers, d.mode)
		if d.mode != mode && has || d.mode == mode && others && (has || withDefault) {
			list = append(list, d.mode)
		}
	}
	return list
}

// withModes adds the directives of modes that a list lacks.
func withModes(list ast.DirectiveList, modes []Provider) ast.DirectiveList {
	for _, d := range directives {
		if slices.Contains(modes, d.mode) && list.ForName(d.name) == nil {
			list = append(list, &ast.Directive{Name: d.name})
		}
	}
	return list
}

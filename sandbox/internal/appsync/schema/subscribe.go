package schema

import (
	"slices"
)

// AllowSubscribe checks a subscription to a model, and returns the filter of what is delivered:
// that of the arguments together with what the rules add. It is nil if there is none; the other
// arguments of the subscription then filter by equality.
func (s *Schema) AllowSubscribe(
	id Identity, m *Model, args map[string]any,
) (map[string]any, error) {
	filter, _ := args["filter"].(map[string]any)
	if len(filter) == 0 {
		filter = nil
	}
	if s.admin(id) {
		return filter, nil
	}
	if m.Level == LevelPublic {
		if id.Provider == IAM { // no role has a policy for it
			return nil, unauthorized()
		}
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
		or = append(or, one.delivered(mine))
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

// delivered returns the filter of the items that a dynamic role lets have who has these values.
func (r *role) delivered(mine []string) map[string]any {
	operator, value := "in", any(anys(mine))
	switch {
	case r.allow == Groups && r.list:
		operator = "containsAny"
	case r.allow == Owner:
		// Subscribers see owners as clients do: the last claim.
		operator, value = "eq", mine[max(0, len(mine)-2)]
		if r.list {
			operator = "contains"
		}
	}
	return map[string]any{r.entity: map[string]any{operator: value}}
}

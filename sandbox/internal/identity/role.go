package identity

import "slices"

// role returns the role for these logins (Developer Guide, "Using tokens
// to assign roles to users"). custom is the CustomRoleArn of the call.
func (p *Pool) role(logins []login, custom string) (string, error) {
	if custom != "" {
		for _, l := range logins {
			if slices.Contains(l.roles, custom) {
				return custom, nil
			}
		}
		// This is Cognito's message where a role cannot be set.
		// No public quotation for this operation is known.
		return "", refuse(NotAuthorized, "Access to Role '%s' is forbidden.", custom)
	}
	if len(logins) == 0 {
		return p.cfg.GuestRole, nil
	}
	for _, l := range logins {
		if l.preferred != "" {
			return l.preferred, nil
		}
	}
	if p.cfg.DenyAmbiguousRole {
		return "", refuse(NotAuthorized, "The ambiguous role mapping rules for: %s denied this request.", logins[0].provider)
	}
	return p.cfg.UserRole, nil
}

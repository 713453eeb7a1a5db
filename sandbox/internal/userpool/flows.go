package userpool

import (
	"fmt"
	"slices"
)

// Flows of the user pools API that an app client can allow, by the names
// of ExplicitAuthFlows (API Reference, CreateUserPoolClient).
const (
	AllowAdminPassword = "ALLOW_ADMIN_USER_PASSWORD_AUTH"
	AllowCustom        = "ALLOW_CUSTOM_AUTH"
	AllowPassword      = "ALLOW_USER_PASSWORD_AUTH"
	AllowRefresh       = "ALLOW_REFRESH_TOKEN_AUTH"
	AllowSRP           = "ALLOW_USER_SRP_AUTH"
	AllowUser          = "ALLOW_USER_AUTH"
)

// Allows reports whether the client may use a flow.
func (c *Client) Allows(flow string) bool { return slices.Contains(c.AuthFlows, flow) }

// setFlows sets the default of AuthFlows, and returns what is wrong with them.
func (c *Client) setFlows() (faults []error) {
	if len(c.AuthFlows) == 0 {
		c.AuthFlows = []string{AllowSRP, AllowCustom}
		if !c.RotateRefreshTokens {
			c.AuthFlows = append(c.AuthFlows, AllowRefresh)
		}
	}
	for _, flow := range c.AuthFlows {
		switch flow {
		case AllowAdminPassword, AllowCustom, AllowPassword, AllowSRP, AllowUser:
		case AllowRefresh: // excludes rotation (Developer Guide, "Refresh token rotation")
			if c.RotateRefreshTokens {
				faults = append(faults, fmt.Errorf("the flow %s does not go together with "+
					"the rotation of refresh tokens: take out one of them", flow))
			}
		default:
			faults = append(faults, fmt.Errorf("%q is no flow: use the names of "+
				"ExplicitAuthFlows, such as %s", flow, AllowSRP))
		}
	}
	return faults
}

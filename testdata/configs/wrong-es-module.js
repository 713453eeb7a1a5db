export default {
  Auth: { Cognito: { userPoolId: 'eu-west-1_Example01', userPoolClientId: '1example23456789' } },
};

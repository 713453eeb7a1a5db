// The bundle of a page that uses Amplify JS: the configuration stands in the page, calls come from the tests.
import { call } from './call.js';

window.amplify = { call };

const configuration = document.getElementById('amplify-configuration');
if (configuration) {
  const { config, options } = JSON.parse(configuration.textContent);
  call('configure', config, options);
}

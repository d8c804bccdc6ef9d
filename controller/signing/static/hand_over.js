// Leads on to the signer at once. Whoever comes back with "back" is not sent there a second time.

const form = document.getElementById("hand-over");
const navigation = performance.getEntriesByType("navigation")[0];

if (navigation?.type !== "back_forward") form.submit();

// Offers text as a file to keep. It is what the newest question asks, so that no knob is saved as it was before.
(text) => {
  if (!text) return;
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([text], { type: 'application/json' }));
  link.download = window.synthExplorerFileName('preset.json');
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}

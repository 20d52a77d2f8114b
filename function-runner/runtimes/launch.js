// Compiles the text of the bootstrap as the main module, as if it were a file in the folder of the
// code. Runs itself as CommonJS and as an ES module: NODE_OPTIONS of the function may choose.
(text) => import("node:module").then(({ default: Module }) => {
  const root = process.env.USER_CODE_ROOT;
  const main = new Module(".");
  main.filename = `${root}/longhold.cjs`;
  main.paths = Module._nodeModulePaths(root);
  // What require.main is in the function.
  process.mainModule = main;
  // Node has put these into the global scope for a program that is given as text.
  const standard = ["console", "crypto", "performance", "process"];
  const names = Module.builtinModules.filter((name) => !standard.includes(name));
  for (const name of [...names, "require", "module", "exports", "__filename", "__dirname"]) {
    delete globalThis[name];
  }
  main._compile(text, main.filename);
  main.loaded = true;
})

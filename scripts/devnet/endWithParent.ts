// Loaded into every process of a devnet: when the program that started it is gone, however that
// came about, the channel between them closes, and nothing must be left running behind it.
process.on("disconnect", () => process.exit(0));
process.channel?.unref();
